# SPDX-License-Identifier: Apache-2.0
# The end of a whole machine, without a word.

not_alive() {
    ! alive "$1"
}

plan killed_machine_leaves_and_returns "a machine is killed while it publishes; others go on; it comes back as restarted"
check_killed_machine_leaves_and_returns() {
    must in_guest 1 'start sub telemetry sub --plain --bus auto:machines; expect_line 60 sub "^subscribed" &&
        start watcher vm_client watch machines; expect_line 30 watcher "^members 0003"'
    telemetry_pub 1
    telemetry_pub 2
    for guest in 1 2; do
        must in_guest 1 "expect_line 60 sub '^guest$guest cpu: .* received [1-9][0-9][0-9]*, lost 0, restarts 0'"
    done
    # Ours are the subscriber, the watcher and the publisher; the fourth is in the machine that is killed.
    must in_guest 1 'expect_line 30 watcher "^members 000f"'
    kill -9 "$(guest_pid 2)"
    must in_guest 1 'expect_line 30 watcher "^members 0007"'
    seen=$(in_guest 1 'grep -c "^guest1 cpu: " /log/sub.out')
    must in_guest 1 "end=\$((\$(date +%s) + 60))
        until [ \$(grep -c '^guest1 cpu: .* lost 0, restarts 0' /log/sub.out) -ge $((seen + 3)) ]; do
        [ \$(date +%s) -lt \$end ] || break; sleep 0.2; done
        [ \$(grep -c '^guest1 cpu: .* lost 0, restarts 0' /log/sub.out) -ge $((seen + 3)) ]"
    must within 30 not_alive "$(guest_pid 2)"
    guest_begin 2 "$(socket_of guest2)"
    must guest_ready 2
    telemetry_pub 2
    for topic in cpu memory system; do
        must in_guest 1 "expect_line 60 sub '^guest2 $topic: RESTARTED, last message before was [1-9]'"
        must in_guest 1 "expect_line 60 sub '^guest2 $topic: .* restarts 1: '"
    done
    must in_guests 'kill -INT $(pid_of pub) && expect_exit 30 pub 0'
    must in_guest 1 'kill -INT $(pid_of sub) && expect_exit 30 sub 0; end watcher
        ! said sub | grep -e "restarts [2-9]" -e "^guest1 .*lost [1-9]"'
}
