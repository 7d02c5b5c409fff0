# SPDX-License-Identifier: Apache-2.0
# The end of a whole machine, without a word.

not_alive() {
    ! alive "$1"
}

plan killed_machine_leaves_and_returns "a machine is killed while it publishes; others go on; it comes back as restarted"
check_killed_machine_leaves_and_returns() {
    survivors="1${GUESTS#1 2}"
    for guest in $survivors; do
        must in_guest "$guest" 'start sub telemetry sub --plain --bus auto:machines; expect_line 60 sub "^subscribed"'
    done
    must in_guest 1 'start watcher vm_client watch machines; expect_line 30 watcher "^members"'
    telemetry_pub 1
    telemetry_pub 2
    for guest in $survivors; do
        for from in 1 2; do
            must in_guest "$guest" "expect_line 60 sub '^guest$from cpu: .* received [1-9][0-9][0-9]*, lost 0, restarts 0'"
        done
    done
    # Connections are taken in order: the subscribers, the watcher, guest1's publisher, and that of the machine to be killed.
    staying=$(((1 << (COUNT + 1)) - 1))
    must in_guest 1 "expect_line 30 watcher '^members $(printf %04x $((staying * 2 + 1)))'"
    kill -9 "$(guest_pid 2)"
    must in_guest 1 "expect_line 30 watcher '^members $(printf %04x $staying)'"
    for guest in $survivors; do
        must in_guest "$guest" 'expect_more 60 sub "^guest1 cpu: .* lost 0, restarts 0" 3'
    done
    must within 30 not_alive "$(guest_pid 2)"
    guest_begin 2 "$(socket_of guest2)"
    must guest_ready 2
    telemetry_pub 2
    for guest in $survivors; do
        for topic in cpu memory system; do
            must in_guest "$guest" "expect_line 60 sub '^guest2 $topic: RESTARTED, last message before was [1-9]' &&
                expect_line 60 sub '^guest2 $topic: .* restarts 1: '"
        done
    done
    for guest in 1 2; do
        must in_guest "$guest" 'kill -INT $(pid_of pub) && expect_exit 30 pub 0'
    done
    for guest in $survivors; do
        must in_guest "$guest" 'kill -INT $(pid_of sub) && expect_exit 30 sub 0
            ! said sub | grep -e "restarts [2-9]" -e "^guest1 .*lost [1-9]"'
    done
}
