# SPDX-License-Identifier: Apache-2.0
# Something to look at: guest2 publishes, guest1 prints what it receives.
demo() {
    in_guest 2 "start pub telemetry pub --bus auto:demo --name guest2; expect_line 60 pub publishes && said pub" ||
        { show_logs; exit 1; }
    echo "guest1 receives:"
    ask 1 "telemetry sub --plain --bus auto:demo --duration-s 8"
    tail -n 0 --pid=$$ -f "$work/guest1.steps" 2>/dev/null | grep --line-buffered "^guest2 " &
    answer 1 >/dev/null || { show_logs; exit 1; }
    echo "(these virtual machines are emulated: how fast they are says nothing about Peal)"
}
