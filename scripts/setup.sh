#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that Peal is built and tested with: only those that are missing, without a question.
#
#   scripts/setup.sh          everything that building and testing needs
#   scripts/setup.sh --peers  the same, and what peal-bench sets Peal beside: without it those are not built, and their
#                             tests are skipped
#   scripts/setup.sh --demo   compiler and libraries only
#
# Libraries for the cross builds (aarch64, i386) are unpacked into a folder of the user's cache and not installed:
# libck-dev cannot be installed for two architectures at once, and dpkg's list of architectures stays as it is.
set -eu

DEMO_PACKAGES="gcc g++ libc6-dev make cmake ninja-build pkg-config libck-dev liburcu-dev libbenchmark-dev
    libhwloc-dev libjansson-dev
    liblz4-dev libzstd-dev zlib1g-dev libmicrohttpd-dev libncurses-dev"
FULL_PACKAGES="$DEMO_PACKAGES git perl libcmocka-dev clang libclang-rt-dev clang-format valgrind libc6-dbg strace mandoc
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
    gcc-i686-linux-gnu libc6-dev-i386-cross
    libelf1 sparse chromium
    tmux bash-completion zsh"
PEER_PACKAGES="libdpdk-dev libboost-dev libreaderwriterqueue-dev libconcurrentqueue-dev libiceoryx-posh-dev iceoryx
    libzmq3-dev libnng-dev libnanomsg-dev"
SYSROOT_PACKAGES="libck-dev liburcu-dev liburcu8 libcmocka-dev libcmocka0"
SYSROOTS="${PEAL_SYSROOT_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/peal-sysroot}"

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

install_missing() {
    missing=""
    for package in "$@"; do
        installed "$package" || missing="$missing $package"
    done
    if [ -z "$missing" ]; then
        say "all packages are there"
        return
    fi
    missing=${missing# }
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null ||
        die "this needs root, or sudo without a password; once as root: apt-get install $missing"
    say "installing: $missing"
    log=$(mktemp)
    # One broken mirror of one repository must not stop the rest; if it matters, the installation below says so.
    as_root apt-get update -q >"$log" 2>&1 || say "apt-get update complained; going on with the lists that there are"
    # shellcheck disable=SC2086 # a list of words
    if ! as_root apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 $missing >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "could not install: $missing"
    fi
    rm -f "$log"
}

# sysroot <debian architecture> <multiarch triplet>: unpacks SYSROOT_PACKAGES of that architecture, once.
sysroot() (
    root="$SYSROOTS/$1"
    stamp="$root/.complete"
    [ "$(cat "$stamp" 2>/dev/null)" = "$SYSROOT_PACKAGES" ] && { say "libraries for $1 are there"; exit 0; }
    say "fetching the libraries for $1 into $root"
    rm -rf "$root"
    mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/apt/debs"
    : >"$root/apt/status"
    foreign_apt() {
        apt-get -q -o APT::Architecture="$1" -o APT::Architectures::="$1" -o APT::Sandbox::User= \
            -o Dir::State="$root/apt" -o Dir::State::lists="$root/apt/lists" \
            -o Dir::State::status="$root/apt/status" -o Dir::Cache="$root/apt/cache" \
            -o Acquire::Languages=none -o Debug::NoLocking=1 "$2" ${3+$3}
    }
    foreign_apt "$1" update >"$root/apt/log" 2>&1 || say "apt-get update complained; going on"
    cd "$root/apt/debs"
    foreign_apt "$1" download "$SYSROOT_PACKAGES" >>"$root/apt/log" 2>&1 || {
        tail -n 20 "$root/apt/log" >&2
        die "could not fetch for $1: $SYSROOT_PACKAGES"
    }
    for deb in *.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    # The packages' pkg-config files name /usr; here they lie under the sysroot.
    sed -i "s|/usr\b|$root/usr|g" "$root/usr/lib/$2/pkgconfig"/*.pc
    rm -rf "$root/apt" "$root/usr/share"
    printf '%s\n' "$SYSROOT_PACKAGES" >"$stamp"
)

full=yes
# The official reader of recordings comes through npm, which other distributors of Node put into their nodejs.
command -v npm >/dev/null 2>&1 || FULL_PACKAGES="$FULL_PACKAGES nodejs npm"

case "${1-}" in
"") ;;
--peers) FULL_PACKAGES="$FULL_PACKAGES $PEER_PACKAGES" ;;
--demo) full=no ;;
*) die "unknown option '$1'; usage: scripts/setup.sh [--demo | --peers]" ;;
esac

command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 ||
    die "this is not a Debian system; install by hand what corresponds to: $FULL_PACKAGES"

if [ "$full" = no ]; then
    # shellcheck disable=SC2086
    install_missing $DEMO_PACKAGES
    exit 0
fi
# shellcheck disable=SC2086
install_missing $FULL_PACKAGES
sysroot arm64 aarch64-linux-gnu
sysroot i386 i386-linux-gnu
# QEMU and a kernel for its guests; without them the test between virtual machines is skipped.
"$(dirname "$0")/../tests/vm/run.sh" --fetch || say "the test between virtual machines will be skipped"
