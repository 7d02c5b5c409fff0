# SPDX-License-Identifier: Apache-2.0
# What a guest boots: Debian's kernel, and an initial file system of a static busybox, the module and the programs as
# they were built, with the libraries and the loader of this machine.

# The kernel that was fetched, and the folder of its headers.
guest_kernel() {
    set -- "$GUEST_TREE"/boot/vmlinuz-*
    echo "$1"
}

guest_headers() {
    set -- "$GUEST_TREE"/usr/src/linux-headers-*-amd64
    echo "$1"
}

# copy_program PROGRAM: to /bin, what it is linked with to /lib, its loader to where the program names it.
copy_program() {
    cp "$1" "$image/bin/"
    ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | while read -r library; do
        [ -e "$image/lib/${library##*/}" ] || cp -L "$library" "$image/lib/"
    done
    loader=$(ldd "$1" | sed -n 's/^[[:space:]]*\(\/[^ ]*ld-[^ ]*\) .*/\1/p')
    mkdir -p "$image${loader%/*}"
    [ -e "$image$loader" ] || cp -L "$loader" "$image$loader"
}

# image_build MODULE PROGRAM...: the initial file system, as $work/initrd.
image_build() {
    image=$work/image
    mkdir -p "$image/bin" "$image/lib" "$image/proc" "$image/sys" "$image/dev" "$image/tmp"
    cp "$GUEST_TREE/bin/busybox" "$image/bin/"
    "$GUEST_TREE/bin/busybox" --list | while read -r applet; do
        [ "$applet" = busybox ] || ln -s busybox "$image/bin/$applet"
    done
    cp "$here/guest/init" "$image/init"
    cp "$1" "$image/guest_shm.ko"
    shift
    for program in "$@"; do
        copy_program "$program"
    done
    (cd "$image" && find . | "$GUEST_TREE/bin/busybox" cpio -o -H newc) >"$work/initrd" 2>/dev/null
    rm -rf "$image"
}
