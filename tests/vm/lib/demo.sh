# SPDX-License-Identifier: Apache-2.0
# Something to look at: guest2 publishes, guest1 prints what it receives.
demo() {
    in_guest 2 'start pub telemetry pub --bus auto:demo --name guest2; expect_line 60 pub publishes && said pub' ||
        { show_logs; exit 1; }
    echo "guest1 receives:"
    in_guest 1 'telemetry sub --bus auto:demo --duration-s 8 | cat' || { show_logs; exit 1; }
    echo "(these virtual machines are emulated: how fast they are says nothing about Peal)"
}
