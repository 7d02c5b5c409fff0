# SPDX-License-Identifier: Apache-2.0
# Guests: QEMU without KVM, one process each. What must be known of a guest lies in files, for each check is a shell of its
# own:
#   guest1.pid      of QEMU
#   guest1.console  what its kernel says
#   guest1.steps    what its init says: the answers to steps; guest1.in leads to it
#   guest1.number   of the last step
#
# Two things are needed for memory that two QEMU processes share: `maxcpus=2`, for with one CPU for ever QEMU turns
# locked instructions into plain ones; and MSI-X, for after the first INTx QEMU takes the direct mapping away.
STEP_LIMIT_S="${PEAL_VM_STEP_LIMIT_S:-120}" # of one step, on a machine that may be busy

# A process is there, and not only its remains.
alive() {
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
    [ -n "$state" ] && [ "$state" != Z ]
}

# within SECONDS COMMAND...: until the command succeeds.
within() {
    deadline=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

guest_pid() {
    cat "$work/guest$1.pid"
}

# guest_begin N SOCKET: starts the machine, and does not wait for it.
guest_begin() {
    base=$work/guest$1
    rm -f "$base.in"
    mkfifo "$base.in"
    cat "$base.console" >>"$base.console.before" 2>/dev/null || true
    cat "$base.steps" >>"$base.steps.before" 2>/dev/null || true
    : >"$base.console"
    : >"$base.steps"
    echo 0 >"$base.number"
    # Opened for both directions, so that neither side waits for the other, and QEMU sees no end.
    "$QEMU_TREE/usr/lib64/ld-linux-x86-64.so.2" \
        --library-path "$QEMU_TREE/usr/lib/x86_64-linux-gnu:$QEMU_TREE/usr/lib/x86_64-linux-gnu/pulseaudio" \
        "$QEMU_TREE/usr/bin/qemu-system-x86_64" -L "$QEMU_TREE/usr/share/qemu" -L "$QEMU_TREE/usr/share/seabios" \
        -nodefaults -no-user-config -display none -no-reboot \
        -accel tcg,thread=multi -M q35 -cpu max -smp "$SMP" -m 256 \
        -kernel "$(guest_kernel)" -initrd "$work/initrd" \
        -append "console=ttyS0 no_timer_check pci=no_e820 quiet panic=-1 peal.name=guest$1" \
        -chardev "file,id=console,path=$base.console" -serial chardev:console \
        -chardev "file,id=steps,path=$base.steps,input-path=$base.in" -serial chardev:steps \
        -device '{"driver":"vfio-user-pci","x-msg-timeout":60000,"socket":{"path":"'"$2"'","type":"unix"}}' \
        8<>"$base.in" 9>&- >"$base.qemu" 2>&1 </dev/null &
    echo $! >"$base.pid"
    echo $! >>"$work/pids"
}

guest_has_said() {
    grep -q "$2" "$work/guest$1.steps" || ! alive "$(guest_pid "$1")"
}

# guest_await N PATTERN: until its init says so; fails if the machine ends, or at the limit.
guest_await() {
    within $((${3-$STEP_LIMIT_S} + 60)) guest_has_said "$1" "$2" && grep -q "$2" "$work/guest$1.steps" && return
    if alive "$(guest_pid "$1")"; then
        echo "guest$1 did not answer in time"
    else
        echo "the machine of guest$1 ended: $(tail -n 1 "$work/guest$1.qemu")"
    fi
    return 1
}

# guest_ready N: it has booted, and has its module.
guest_ready() {
    guest_await "$1" '^@@ ready' || return 1
    ! grep -q '^no module' "$work/guest$1.steps" || { echo "guest$1 could not load the module"; return 1; }
}

# ask N COMMAND: begins a step in guest N and does not wait.
ask() {
    number=$(($(cat "$work/guest$1.number") + 1))
    echo $number >"$work/guest$1.number"
    # One line on the wire. Opened for both directions, or this would wait for a machine that has ended.
    printf '%s %s\n' $number "$(printf '%s' "$2" | tr '\n' '\036')" 1<>"$work/guest$1.in"
}

# answer N: the end of the last step; prints what it said; the step's exit code.
answer() {
    number=$(cat "$work/guest$1.number")
    guest_await "$1" "^@@ end $number " || return 1
    sed -n "/^@@ begin $number\$/,/^@@ end $number /{/^@@/d;/^$/d;p}" "$work/guest$1.steps"
    return "$(sed -n "s/^@@ end $number //p" "$work/guest$1.steps")"
}

# in_guest N COMMAND: a step, and its end.
in_guest() {
    ask "$1" "$2"
    answer "$1"
}

# in_guests COMMAND: the same step in all guests at the same time.
in_guests() {
    for guest in $GUESTS; do
        ask "$guest" "$1"
    done
    for guest in $GUESTS; do
        answer "$guest" || return 1
    done
}
