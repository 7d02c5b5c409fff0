# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=page_files.c "-DFILES=FILE;..." -P embed.cmake
# Writes the files into one of C, as struct page_file page_files[].
cmake_policy(VERSION 3.25)
set(arrays "")
set(entries "")
foreach(file IN LISTS FILES)
    get_filename_component(name "${file}" NAME)
    string(MAKE_C_IDENTIFIER "${name}" symbol)
    file(READ "${file}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(....................................................................................................)"
                         "\\1\n" bytes "${bytes}")
    string(APPEND arrays "static const unsigned char ${symbol}[] = {\n${bytes}};\n")
    string(APPEND entries "    {\"${name}\", ${symbol}, sizeof(${symbol})},\n")
endforeach()
file(WRITE "${OUT}" "/* Made by embed.cmake. */\n#include \"tools/peal/serve/page_files.h\"\n\n${arrays}\n"
                    "const struct page_file page_files[] = {\n${entries}    {0},\n};\n")
