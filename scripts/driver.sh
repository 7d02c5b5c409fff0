#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the guest's kernel module (driver/) outside of the tree, and prints the path of guest_shm.ko.
#
#   scripts/driver.sh --headers BUILD DIR       with the headers in BUILD, for example /lib/modules/$(uname -r)/build
#   scripts/driver.sh --release RELEASE DIR     with Debian's headers of that kernel, for example 6.1.0-56-cloud-amd64
#   scripts/driver.sh --debian DIR              with those of the cloud kernel that this Debian has now
#   scripts/driver.sh --backports DIR           with those of the cloud kernel of this Debian's backports
#   scripts/driver.sh --fetch (--release RELEASE|--debian|--backports)
#                                               only fetches the headers and prints BUILD
#
# --check before DIR: builds with W=1 and with sparse, and any warning is an error.
#
# Headers are fetched from the mirror that apt is configured with, and unpacked into a folder of the user's cache; nothing
# is installed, and root is not needed. Exit code 77: they can't be had.
set -eu

CACHE="${PEAL_HEADERS_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/peal-headers}"
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf 'driver: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
skip() { say "SKIPPED: $*"; exit 77; }
usage() { sed -n '3,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# private_apt <folder> <program> <arguments>: apt with lists of its own, taken from the sources in that folder.
private_apt() {
    folder=$1
    program=$2
    shift 2
    "$program" -q -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User= \
        -o Dir::State="$folder" -o Dir::State::lists="$folder/lists" -o Dir::State::status="$folder/status" \
        -o Dir::Cache="$folder/cache" -o Acquire::Languages=none -o Debug::NoLocking=1 "$@"
}

# Debian's mirrors and suites as apt has them; $1 = yes: their backports instead.
write_sources() {
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME)' 2>/dev/null | sort -u |
        while read -r origin uri codename; do
            [ "$origin" = Debian ] || continue
            if [ "$1" = yes ]; then
                case "$codename" in
                *-*) continue ;;
                *) codename="$codename-backports" ;;
                esac
            fi
            printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$codename"
        done
}

prepare_apt() {
    apt="$CACHE/apt-$1"
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "this is not a Debian system; use --headers"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    write_sources "$1" >"$apt/sources.list"
    [ -s "$apt/sources.list" ] || skip "apt knows no Debian mirror; run apt-get update, or use --headers"
    private_apt "$apt" apt-get update >"$apt/log" 2>&1 || say "apt-get update complained; going on"
}

# What the package of that name depends on, of those that make up kernel headers.
parts_of() {
    private_apt "$apt" apt-cache depends "$1" 2>/dev/null | sed -n 's/^ *Depends: \(linux-\(headers\|kbuild\)-[^ ]*\)$/\1/p'
}

# The release that the newest linux-headers-cloud-ARCH of these sources stands for.
newest_release() {
    private_apt "$apt" apt-cache depends "linux-headers-cloud-$(dpkg --print-architecture)" 2>/dev/null |
        sed -n 's/^ *Depends: linux-headers-\(.*\)$/\1/p' | head -n 1
}

# Unpacks the headers of $1 and prints where a module is built with them.
fetch_release() {
    root="$CACHE/$1"
    build="$root/usr/src/linux-headers-$1"
    if [ ! -e "$root/.complete" ]; then
        packages="linux-headers-$1 $(parts_of "linux-headers-$1" | tr '\n' ' ')"
        rm -rf "$root"
        mkdir -p "$root/debs"
        # shellcheck disable=SC2086 # a list of words
        (cd "$root/debs" && private_apt "$apt" apt-get download $packages) >>"$apt/log" 2>&1 || {
            tail -n 5 "$apt/log" >&2
            skip "could not fetch: $packages"
        }
        for deb in "$root"/debs/*.deb; do
            dpkg-deb -x "$deb" "$root"
        done
        rm -rf "$root/debs"
        # Absolute paths of an installation lead into the folder instead.
        sed -i "s| /usr/src/| $root/usr/src/|; s| /usr/lib/| $root/usr/lib/|" "$build/Makefile"
        : >"$root/.complete"
    fi
    printf '%s\n' "$build"
}

fetch_headers() {
    case "$1" in
    --release)
        if [ ! -e "$CACHE/$2/.complete" ]; then
            prepare_apt no
            [ -n "$(parts_of "linux-headers-$2")" ] || prepare_apt yes
        fi
        fetch_release "$2"
        ;;
    --debian | --backports)
        if [ "$1" = --debian ]; then prepare_apt no; else prepare_apt yes; fi
        release=$(newest_release)
        [ -n "$release" ] || skip "there is no linux-headers-cloud-$(dpkg --print-architecture)"
        fetch_release "$release"
        ;;
    esac
}

# Copies the sources beside their headers as the package does, and builds.
build_module() {
    target=$2
    [ -e "$1/Makefile" ] || die "there are no kernel headers in $1; install linux-headers-\$(uname -r)"
    mkdir -p "$target/include"
    cp "$here"/driver/*.c "$here"/driver/*.h "$here/driver/Kbuild" "$here/driver/Makefile" "$target/"
    cp "$here"/include/guest_shm*.h "$target/include/"
    options="CONFIG_DEBUG_INFO_BTF_MODULES=" # type information for BPF needs pahole, and nobody here reads it
    [ "$check" = no ] || options="$options W=1 C=2 KCFLAGS=-Werror"
    # shellcheck disable=SC2086 # a list of words
    if ! make -C "$1" M="$target" $options modules >"$target/build.log" 2>&1; then
        tail -n 30 "$target/build.log" >&2
        die "the module does not build with $1"
    fi
    if [ "$check" = yes ] && grep -E "^$target/.*(warning|error):" "$target/build.log" >&2; then
        die "warnings with $1"
    fi
    printf '%s\n' "$target/guest_shm.ko"
}

check=no
only_fetch=no
source=""
value=""
[ "${1-}" != --fetch ] || { only_fetch=yes; shift; }
case "${1-}" in
--headers | --release)
    [ $# -ge 2 ] || usage
    source=$1
    value=$2
    shift 2
    ;;
--debian | --backports)
    source=$1
    shift
    ;;
*) usage ;;
esac
[ "${1-}" != --check ] || { check=yes; shift; }
if [ "$check" = yes ] && ! command -v sparse >/dev/null; then
    skip "--check needs sparse; install it with scripts/setup.sh"
fi

if [ "$source" = --headers ]; then
    headers=$value
else
    headers=$(fetch_headers "$source" "$value")
fi
if [ "$only_fetch" = yes ]; then
    [ $# -eq 0 ] || usage
    printf '%s\n' "$headers"
    exit 0
fi
[ $# -eq 1 ] || usage
mkdir -p "$1"
build_module "$headers" "$(CDPATH='' cd -- "$1" && pwd)"
