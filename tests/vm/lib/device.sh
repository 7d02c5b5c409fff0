# SPDX-License-Identifier: Apache-2.0
# The device server: one socket a guest, of which the second one has a rule, and one for processes of this machine.

socket_of() {
    echo "$work/$1.sock"
}

device_begin() {
    set --
    for guest in $GUESTS; do
        set -- "$@" --guest "$(socket_of "guest$guest")"
        [ "$guest" != 2 ] || set -- "$@" --deny "$FORBIDDEN"
    done
    : >"$work/device.log"
    # It does not outlive this script, however that ends.
    setpriv --pdeathsig KILL "$build/device/peal-vdev" "$@" --guest "$(socket_of host)" \
        >"$work/device.log" 2>&1 </dev/null &
    echo $! >"$work/device.pid"
    echo $! >>"$work/pids"
    within 30 grep -q '^ready' "$work/device.log" || { echo "vm: peal-vdev did not get ready in 30 s"; return 1; }
}
