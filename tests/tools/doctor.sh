#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each check is shown a machine in a folder: one where all is well, and then the same with one thing amiss.
. "$(dirname "$0")/lib.sh"

root=$dir/machine
cpu=sys/devices/system/cpu
pci=sys/bus/pci/devices/0000:00:05.0

# put PATH TEXT...: a file of that machine, a line each.
put() {
    file=$root/$1
    shift
    [ -d "${file%/*}" ] || mkdir -p "${file%/*}"
    printf '%s\n' "$@" >"$file"
}

# A machine of four CPUs, on which user 1000 looks, with the device and all that it needs.
make_machine() {
    rm -rf "$root"
    (
        mkdir "$root" && cd "$root"
        mkdir -p dev run/systemd/system proc/self proc/1 proc/sys/kernel sys/fs/cgroup/user.slice etc/systemd etc/udev/rules.d \
            sys/kernel/mm/transparent_hugepage sys/devices/system/clocksource/clocksource0 $pci/msi_irqs \
            sys/bus/pci/devices/0000:00:01.0 sys/module/guest_shm/parameters \
            $cpu/cpu0/topology $cpu/cpu1/topology $cpu/cpu2/topology $cpu/cpu3/topology \
            $cpu/cpu0/cpufreq $cpu/cpu1/cpufreq $cpu/cpu2/cpufreq $cpu/cpu3/cpufreq
    )
    mkdir -m 1777 "$root/dev/shm"
    put proc/sys/kernel/osrelease 6.1.0-13-amd64
    put proc/self/mounts 'proc /proc proc rw 0 0' 'tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=1048576k,huge=advise 0 0'
    put proc/self/status 'Name: peal' 'Uid:	1000	1000	1000	1000' 'Gid:	1000	1000	1000	1000' 'Groups:	27 990 1000' \
        'CapEff:	0000000000000000' 'Cpus_allowed:	f' 'Cpus_allowed_list:	0-3'
    put proc/self/limits 'Limit                     Soft Limit           Hard Limit           Units' \
        'Max open files            1024                 524288               files' \
        'Max locked memory         unlimited            unlimited            bytes'
    put proc/self/cgroup 0::/user.slice
    put sys/fs/cgroup/user.slice/cpu.max 'max 100000'
    put proc/1/cgroup 0::/init.scope
    put proc/cpuinfo 'processor	: 0' 'flags		: fpu tsc msr hypervisor lahf_lm'
    put proc/interrupts '           CPU0' ' 24:          7  PCI-MSI 81920-edge      guest_shm0'
    put etc/passwd root:x:0:0::/root:/bin/sh ada:x:1000:1000::/:/bin/sh
    put etc/group root:x:0: guest_shm:x:990:ada
    put etc/systemd/logind.conf '[Login]' '#KillUserProcesses=no' 'RemoveIPC=no'
    put sys/kernel/mm/transparent_hugepage/shmem_enabled 'always within_size advise [never] deny force'
    put $cpu/online 0-3
    put $cpu/isolated ''
    for i in 0 1 2 3; do
        put $cpu/cpu$i/topology/thread_siblings_list $i
        put $cpu/cpu$i/cpufreq/scaling_governor performance
    done
    put sys/devices/system/clocksource/clocksource0/current_clocksource tsc
    put sys/devices/system/clocksource/clocksource0/available_clocksource 'tsc hpet acpi_pm'
    put $pci/vendor 0x1c05
    put $pci/device 0x0001
    put $pci/msi_irqs/24 msi
    ln -s ../../../../bus/pci/drivers/guest_shm "$root/$pci/driver"
    put sys/bus/pci/devices/0000:00:01.0/vendor 0x8086
    put sys/bus/pci/devices/0000:00:01.0/device 0x0001
    put sys/module/guest_shm/parameters/line_interrupt N
    put etc/udev/rules.d/60-guest_shm.rules '# ...'
    : >"$root/dev/guest_shm0"
    chmod 0660 "$root/dev/guest_shm0"
}

# verdict CHECK VERDICT PATTERN [REMEDY]: what that check now says of the machine.
verdict() {
    code=0
    [ "$2" != bad ] || code=6
    run $code doctor --root "$root" "$1"
    grep -q -- "^$2 *$1  *.*$3" "$dir/run.out" || fail "$1 did not say '$2 $3' but: $(cat "$dir/run.out")"
    [ $# -lt 4 ] || grep -q -- "^ *do: .*$4" "$dir/run.out" || fail "$1 has not the remedy '$4' but: $(cat "$dir/run.out")"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || {
        echo "needs root, to give files to others"
        exit 77
    }
}

case $case in
a_machine_where_all_is_well_has_nothing_but_ok)
    make_machine
    chown 1000:990 "$root/dev/guest_shm0" 2>/dev/null || put proc/self/status "Uid: 0 0 0 0"
    run 0 doctor --root "$root"
    [ "$(grep -c '^ok ' "$dir/run.out")" -ge 22 ] || fail "few checks: $(cat "$dir/run.out")"
    ! grep -E '^(warn|bad) ' "$dir/run.out" || fail 'something is amiss'
    said '^nothing is wrong$'
    run 0 doctor --root "$root" --json
    json_is 'join ",", map { $_->{check} } grep { $_->{verdict} ne "ok" } @$j' ''
    run 0 doctor version shm
    [ "$(grep -c '^ok ' "$dir/run.out")" -eq 2 ] || fail 'not two checks'
    ;;
this_machine_is_looked_at_without_being_changed)
    ls -l /dev/shm >"$dir/before"
    code=0
    "$peal" doctor --json >"$dir/run.out" || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 6 ] || fail "it ended with $code"
    json_is 'scalar grep { !/^(ok|warn|bad)$/ } map { $_->{verdict} } @$j' 0
    json_is 'scalar grep { $_->{verdict} ne "ok" && !$_->{remedy} } @$j' 0
    ;;
kernel_and_container)
    make_machine
    put proc/sys/kernel/osrelease 3.10.0-1160.el7
    verdict kernel bad '3.10.0.*posix: does not work' 'install a kernel'
    put proc/sys/kernel/osrelease 4.4.0
    verdict kernel warn 'membarrier' 'install a kernel'
    rm "$root/proc/sys/kernel/osrelease"
    verdict kernel warn 'cannot be read' 'mount -t proc'
    put proc/1/cgroup '12:cpu:/kubepods/burstable/pod1'
    verdict container ok 'Kubernetes'
    : >"$root/.dockerenv"
    verdict container ok 'Docker'
    ;;
memory_of_regions)
    make_machine
    chmod 0777 "$root/dev/shm"
    verdict shm bad 'each user can remove the regions of all others' 'chmod 1777 /dev/shm'
    chmod 1755 "$root/dev/shm"
    verdict shm bad 'not all users can make regions' 'chmod 1777 /dev/shm'
    chmod 1777 "$root/dev/shm"
    put proc/self/mounts 'tmpfs /dev/shm tmpfs ro,size=65536k 0 0'
    verdict shm bad 'read-only' 'remount,rw'
    put proc/self/mounts '/dev/sda1 /dev/shm ext4 rw 0 0'
    verdict shm bad 'ext4 and no tmpfs' 'mount -t tmpfs'
    put proc/self/mounts 'proc /proc proc rw 0 0'
    verdict shm bad 'nothing is mounted' 'mount -t tmpfs'
    verdict space ok 'no limit of its own'
    put proc/self/mounts 'shm /dev/shm tmpfs rw,size=65536k 0 0'
    verdict space bad 'does not fit' '--shm-size'
    put proc/self/mounts 'shm /dev/shm tmpfs rw,size=200M 0 0'
    verdict space ok '200 MiB left of 200 MiB'
    truncate -s 300M "$root/dev/shm/peal.large"
    verdict space bad '1 regions here may yet take 300 MiB.*SIGBUS' 'remount,size='
    rm -r "$root/dev/shm"
    verdict shm bad 'there is no /dev/shm' 'mkdir -m 1777 /dev/shm'
    verdict regions bad 'cannot read /dev/shm'
    ;;
huge_pages_and_limits)
    make_machine
    put proc/self/mounts 'tmpfs /dev/shm tmpfs rw,size=1G 0 0'
    verdict hugepages warn 'gives no huge pages' 'remount,huge=advise'
    put sys/kernel/mm/transparent_hugepage/shmem_enabled 'always within_size advise never [deny] force'
    verdict hugepages warn 'denied' 'shmem_enabled'
    put sys/kernel/mm/transparent_hugepage/shmem_enabled 'always within_size advise never deny [force]'
    verdict hugepages ok 'forced'
    rm -r "$root/sys/kernel/mm"
    verdict hugepages ok 'this kernel has no huge pages'
    put proc/self/limits 'Max locked memory         8388608              8388608              bytes' \
        'Max open files            64                   64                   files'
    verdict memlock warn 'only 8.00 MiB of memory may be locked' 'ulimit -l'
    verdict nofile bad 'only 64 files' 'ulimit -n 1024'
    put proc/self/limits 'Max open files            256                  256                  files'
    verdict nofile warn 'only 256 files' 'ulimit -n 1024'
    put proc/self/limits 'Max locked memory         8388608              8388608              bytes'
    put proc/self/status 'Uid: 0 0 0 0' 'CapEff:	000001ffffffffff'
    verdict memlock ok 'CAP_IPC_LOCK'
    ;;
regions_that_log_out_with_their_user)
    make_machine
    put etc/systemd/logind.conf '[Login]' '#RemoveIPC=no'
    verdict removeipc warn 'RemoveIPC=yes: regions that user 1000 makes' 'logind.conf.d/peal.conf'
    put usr/lib/systemd/logind.conf.d/50-vendor.conf '[Login]' ' RemoveIPC = no'
    verdict removeipc ok 'RemoveIPC=no'
    put etc/systemd/logind.conf.d/60-ours.conf '[Login]' RemoveIPC=yes
    verdict removeipc warn 'RemoveIPC=yes'
    put etc/systemd/logind.conf.d/50-vendor.conf '[Login]'
    put etc/systemd/logind.conf.d/60-ours.conf '[Login]' RemoveIPC=off
    verdict removeipc ok 'RemoveIPC=no'
    rm -r "$root/etc/systemd" "$root/usr/lib/systemd"
    : >"$root/dev/shm/peal.mine"
    if chown 1000 "$root/dev/shm/peal.mine" 2>/dev/null; then
        verdict removeipc bad '1 region of user 1000 is removed when he logs out' 'restart systemd-logind'
    fi
    put var/lib/systemd/linger/ada ''
    verdict removeipc ok 'ada lingers'
    rm "$root/var/lib/systemd/linger/ada"
    put proc/self/status 'Uid: 998 998 998 998'
    verdict removeipc ok 'system user'
    put etc/login.defs 'SYS_UID_MAX	 500'
    verdict removeipc warn 'user 998'
    rm -r "$root/run/systemd"
    verdict removeipc ok 'no systemd-logind'
    ;;
regions_of_another_format)
    make_machine
    start machine telemetry pub --bus "$bus" --duration-s 60
    expect_line machine publishes
    cp "/dev/shm/peal.${bus#posix:}" "$root/dev/shm/peal.good"
    verdict regions ok '1 region is in order'
    cp "$root/dev/shm/peal.good" "$root/dev/shm/peal.other"
    printf '\011' | dd of="$root/dev/shm/peal.other" bs=1 seek=$((65536 + 16)) conv=notrunc 2>/dev/null
    verdict regions bad 'posix:other: .*format version 9'
    echo 'somebody elses' >"$root/dev/shm/peal.other"
    verdict regions bad 'posix:other: '
    chmod 666 "$root/dev/shm/peal.good"
    rm "$root/dev/shm/peal.other"
    verdict regions warn 'posix:good has mode 0666: every user' 'chmod 0660 /dev/shm/peal.good'
    ;;
regions_of_this_machine)
    # In a /dev/shm of its own, for what others do on this machine is not ours to be judged by.
    unshare -m true 2>/dev/null || {
        echo "needs the right to make a mount namespace"
        exit 77
    }
    # shellcheck disable=SC2016
    unshare -m sh -eu -c '
        mount -t tmpfs -o mode=1777,size=512m tmpfs /dev/shm
        peal=$1 examples=$2 dir=$3
        "$peal" doctor regions >"$dir/none.out"
        "$examples/telemetry" pub --bus posix:idle --duration-s 0.1 >/dev/null
        "$examples/workers" post --bus posix:full --jobs 2 >/dev/null
        "$examples/telemetry" pub --bus posix:live --duration-s 60 >"$dir/live.out" &
        live=$!
        "$examples/telemetry" pub --bus posix:live --name second --duration-s 60 >"$dir/second.out" &
        dead=$!
        until grep -q publishes "$dir/live.out" && grep -q publishes "$dir/second.out"; do sleep 0.02; done
        printf "PEALSHM1\011" >/dev/shm/peal.other
        truncate -s 1M /dev/shm/peal.other
        kill -STOP $live
        kill -9 $dead
        wait $dead 2>/dev/null || :
        "$peal" doctor regions >"$dir/run.out" && exit 9 || [ $? -eq 6 ]
        kill -9 $live
    ' sh "$peal" "$examples" "$dir" || fail "it ended with $?"
    grep -q '^ok .* 0 regions are in order$' "$dir/none.out" || fail "an empty machine: $(cat "$dir/none.out")"
    said '^warn  regions .*posix:live has remains of 1 dead client'
    said 'do: peal clean posix:live --yes'
    said '^bad   regions .*posix:other: .*another format'
    said 'do: end its users, then peal clean posix:other --force --yes'
    said '^warn  regions .*1 region that nobody uses takes .*, with 0 FIFOs'
    said 'do: peal clean --all --yes'
    said '^ok    regions .*1 region without clients holds messages for who comes next'
    ;;
cores_and_clocks)
    make_machine
    put proc/self/status 'Cpus_allowed_list:	2'
    verdict cores warn 'one CPU of 4 is ours' 'taskset'
    put $cpu/online 0
    put proc/self/status 'Cpus_allowed_list:	0'
    verdict cores warn 'one CPU of 1 is ours' 'spin_ns to 1'
    put $cpu/online 0-3
    put proc/self/status 'Cpus_allowed_list:	1,3'
    put $cpu/cpu1/topology/thread_siblings_list 1,3
    put $cpu/cpu3/topology/thread_siblings_list 1,3
    verdict cores warn '2 CPUs that are ours are of one core' 'second core'
    put proc/self/status 'Cpus_allowed_list:	0-3'
    verdict cores ok '4 CPUs of 4 are ours, of 3 cores'
    put proc/self/cgroup '0::/system.slice/peal.service'
    put sys/fs/cgroup/system.slice/cpu.max '50000 100000'
    put sys/fs/cgroup/system.slice/peal.service/cpu.max '400000 100000'
    verdict quota warn 'the time of 0.50 CPUs' 'CPUQuota='
    put sys/fs/cgroup/system.slice/cpu.max 'max 100000'
    verdict quota ok 'the time of 4.00 CPUs'
    put proc/self/cgroup '4:cpu,cpuacct:/docker/1'
    put sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us 150000
    put sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us 100000
    verdict quota warn 'the time of 1.50 CPUs' 'docker update --cpus='
    put $cpu/cpu2/cpufreq/scaling_governor powersave
    verdict governor warn '1 CPU is under the governor powersave' 'cpupower frequency-set'
    put $cpu/isolated 2-3
    verdict isolated warn 'CPUs 2-3 are isolated' 'always_fence'
    put sys/devices/system/clocksource/clocksource0/current_clocksource hpet
    verdict clocksource warn 'the clock is hpet' 'echo tsc'
    put sys/devices/system/clocksource/clocksource0/available_clocksource 'hpet acpi_pm'
    verdict clocksource warn 'the clock is hpet' 'boot with clocksource=tsc'
    ;;
the_device_and_its_driver)
    make_machine
    verdict guest ok 'a virtual machine'
    rm "$root/$pci/driver"
    verdict driver bad 'is loaded, and does not take device 0000:00:05.0' 'drivers/guest_shm/bind'
    rm -r "$root/sys/module/guest_shm"
    verdict driver bad 'is not loaded' 'modprobe guest_shm'
    ln -s ../../../../bus/pci/drivers/vfio-pci "$root/$pci/driver"
    verdict driver bad 'in the hands of the driver vfio-pci' 'unbind'
    rm -r "${root:?}/$pci"
    verdict device ok 'no shared-memory device'
    verdict driver ok 'no driver is needed'
    mkdir -p "$root/proc/device-tree/vdevs"
    verdict device bad 'without its shared-memory device' 'vdev shmem'
    rm -r "$root/proc/device-tree"
    put sys/class/dmi/id/sys_vendor 'QNX Software Systems'
    verdict device bad 'without its shared-memory device' 'vdev shmem'
    put proc/cpuinfo 'flags		: fpu'
    verdict guest ok 'no virtual machine'
    ;;
the_node_and_its_rule)
    need_root
    make_machine
    chown 0:990 "$root/dev/guest_shm0"
    verdict node ok 'may be used by user 1000'
    chown 0:0 "$root/dev/guest_shm0"
    verdict node bad 'has mode 0660 and group 0: user 1000 may not use it' 'usermod -a -G guest_shm ada'
    chown 1000:0 "$root/dev/guest_shm0"
    verdict node ok 'may be used'
    chmod 0400 "$root/dev/guest_shm0"
    verdict node bad 'may not use it'
    chmod 0666 "$root/dev/guest_shm0"
    verdict node warn 'every user of this guest' 'udev'
    rm "$root/dev/guest_shm0"
    verdict node bad 'there is no /dev/guest_shm0' 'udevadm trigger'
    put etc/group root:x:0: guest_shm_other:x:5:
    verdict udev bad 'there is none' 'groupadd --system guest_shm'
    rm "$root/etc/udev/rules.d/60-guest_shm.rules"
    verdict udev warn 'is not installed' 'cp driver/60-guest_shm.rules'
    ;;
the_interrupts_of_the_device)
    make_machine
    verdict interrupts ok '1 interrupt vector (MSI)'
    rm -r "$root/$pci/msi_irqs"
    verdict interrupts ok 'by its line, as a QNX host has it'
    put sys/class/dmi/id/sys_vendor QEMU
    verdict interrupts warn 'by its line: under QEMU' 'intx'
    put sys/module/guest_shm/parameters/line_interrupt Y
    verdict interrupts warn 'for the driver was told so' 'line_interrupt=0'
    put proc/interrupts '           CPU0'
    verdict interrupts bad 'no interrupt of guest_shm' 'dmesg'
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 2 "there is no check 'frob'; there are: version kernel" doctor frob
    refused 3 'cannot look at /nowhere' doctor --root /nowhere
    : >"$dir/file"
    refused 2 'is no folder' doctor --root "$dir/file"
    # An empty machine, and one of garbage, are looked at as well.
    mkdir "$dir/empty"
    run 6 doctor --root "$dir/empty"
    make_machine
    find "$root" -type f | while read -r file; do head -c 3000 /dev/urandom >"$file"; done
    run 6 doctor --root "$root" --json
    json_is 'scalar(@$j) >= 22 ? 1 : 0' 1
    code=0
    "$peal" doctor >/dev/full 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] || fail "a full disk: $code"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
