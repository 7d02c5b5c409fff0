# SPDX-License-Identifier: Apache-2.0
# What the virtual machines are made of, as Debian packages: unpacked into a folder of the user's cache, once, and never
# installed. That needs no root, and leaves the system's packages and its list of them as they are.
#
#   qemu/     QEMU of the next release's backports with all its libraries: a tree of its own, run by its own loader
#   guest/    kernel, headers and kbuild of Debian 12's cloud kernel, and a static busybox
#
# Everything comes from the Debian mirror that apt is configured for already.
VM_CACHE="${PEAL_VM_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/peal-vm}"
VM_RECIPE="peal-vm 1: trixie-backports qemu-system-x86; bookworm linux-image-cloud-amd64, headers, busybox-static, libelf1"
QEMU_TREE="$VM_CACHE/qemu"
GUEST_TREE="$VM_CACHE/guest"

# The mirror of apt's own sources that has Debian's releases: not the security one, nor others' repositories.
debian_mirror() {
    if [ -n "${PEAL_DEBIAN_MIRROR-}" ]; then
        echo "$PEAL_DEBIAN_MIRROR"
        return
    fi
    # shellcheck disable=SC2016 # apt's variables, not the shell's
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null |
        awk '$1 ~ /^(bookworm|trixie|forky|duke|sid|oldstable|stable|testing|unstable)$/ { print $2; exit }'
}

# own_apt FOLDER COMMAND...: apt-get or apt-cache with sources, lists and packages of its own, in FOLDER.
own_apt() {
    own=$1 command=$2
    shift 2
    "$command" -q -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Sandbox::User= \
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o Acquire::Retries=3 -o Debug::NoLocking=1 \
        -o APT::Update::Post-Invoke::= -o Dir::Etc::sourcelist="$own/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$own" -o Dir::State::lists="$own/lists" \
        -o Dir::State::status="$own/status" -o Dir::Cache="$own/cache" -o Dir::Cache::archives="$own/debs" "$@"
}

# own_apt_begin FOLDER SUITE...
own_apt_begin() {
    own=$1
    shift
    mkdir -p "$own/lists/partial" "$own/cache" "$own/debs/partial"
    : >"$own/status"
    signed=
    for keyring in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
        [ -e "$keyring" ] && signed="[signed-by=$keyring] " && break
    done
    for suite in "$@"; do
        echo "deb $signed$mirror $suite main"
    done >"$own/sources.list"
    own_apt "$own" apt-get update
}

# With its dependencies, as if nothing were installed.
fetch_qemu() {
    own_apt_begin "$1/apt-qemu" trixie trixie-backports &&
        own_apt "$1/apt-qemu" apt-get install -y --download-only -t trixie-backports qemu-system-x86 || return 1
    for deb in "$1"/apt-qemu/debs/*.deb; do
        dpkg-deb -x "$deb" "$1/qemu" || return 1
    done
    rm -rf "$1/qemu/usr/share/doc" "$1/qemu/usr/share/man" "$1/qemu/usr/share/locale"
}

# The packages that PACKAGE names as its dependencies and whose names match PATTERN.
dependencies() {
    own_apt "$1" apt-cache depends "$2" | sed -n "s/^ *Depends: \($3\)\$/\1/p"
}

# Kernel, headers and kbuild alone: what else they depend on is for machines that are to keep them.
fetch_guest() {
    own="$1/apt-guest"
    own_apt_begin "$own" bookworm || return 1
    image=$(dependencies "$own" linux-image-cloud-amd64 'linux-image-[0-9].*')
    headers=$(dependencies "$own" linux-headers-cloud-amd64 'linux-headers-[0-9].*')
    [ -n "$image" ] && [ -n "$headers" ] || return 1
    kbuild=$(dependencies "$own" "$headers" 'linux-\(headers-.*-common\|kbuild-.*\)')
    # shellcheck disable=SC2086 # a list of words
    (cd "$own/debs" && own_apt "$own" apt-get download "$image" "$headers" $kbuild busybox-static libelf1) || return 1
    for deb in "$own"/debs/*.deb; do
        dpkg-deb -x "$deb" "$1/guest" || return 1
    done
    relocate_headers "$1/guest" "$GUEST_TREE"
    # Of the image only the kernel is wanted; the module's build reads symbols from the headers.
    find "$1/guest/lib/modules" -name kernel -type d -prune -exec rm -rf {} +
}

# relocate_headers TREE PLACE: Debian's headers name each other by absolute paths; here they will lie below PLACE.
relocate_headers() {
    for folder in "$1"/usr/src/linux-headers-*-amd64; do
        sed -i "s|/usr/src/|$2/usr/src/|g" "$folder/Makefile"
        [ ! -e "$folder/.kernelvariables" ] || sed -i "s|/usr/src/|$2/usr/src/|g" "$folder/.kernelvariables"
    done
    for folder in "$1"/usr/src/linux-headers-*; do
        for name in scripts tools; do
            [ -L "$folder/$name" ] || continue
            target=$(readlink "$folder/$name")
            case $target in
            /*) ln -sfn "$2$target" "$folder/$name" ;;
            ../../lib/*) ln -sfn "$2/usr/${target#../../}" "$folder/$name" ;;
            esac
        done
    done
}

# Fetches what is not there yet. False: why is in $fetch_log, and $fetch_error is one line of it.
fetch_all() {
    fetch_error=
    [ "$(cat "$VM_CACHE/.complete" 2>/dev/null)" = "$VM_RECIPE" ] && return 0
    fetch_log=$work/fetch.log
    mkdir -p "$VM_CACHE" 2>/dev/null || { fetch_error="cannot write to $VM_CACHE"; return 1; }
    # One at a time; whoever comes second finds all done.
    exec 9>"$VM_CACHE/.lock"
    flock 9
    if [ "$(cat "$VM_CACHE/.complete" 2>/dev/null)" != "$VM_RECIPE" ]; then
        fetch_unlocked || true
    fi
    exec 9>&-
    [ -z "$fetch_error" ]
}

fetch_unlocked() {
    for tool in apt-get apt-cache dpkg-deb; do
        command -v "$tool" >/dev/null 2>&1 || { fetch_error="there is no $tool: this is not a Debian system"; return; }
    done
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { fetch_error="apt's sources name no Debian mirror; set PEAL_DEBIAN_MIRROR to its URI"; return; }
    echo "vm: fetching QEMU and a guest kernel into $VM_CACHE (some 100 MB, once)"
    new="$VM_CACHE/new"
    rm -rf "$new"
    mkdir -p "$new/qemu" "$new/guest"
    if ! { fetch_qemu "$new" && fetch_guest "$new"; } >"$fetch_log" 2>&1 </dev/null; then
        fetch_error="could not fetch packages from Debian: $(grep '^E:' "$fetch_log" | tail -n 1)"
        rm -rf "$new"
        return
    fi
    rm -rf "$QEMU_TREE" "$GUEST_TREE" "$new"/apt-*
    mv "$new/qemu" "$new/guest" "$VM_CACHE/"
    rmdir "$new"
    printf '%s\n' "$VM_RECIPE" >"$VM_CACHE/.complete"
}
