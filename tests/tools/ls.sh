#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

case $case in
topics_are_listed_with_who_takes_part)
    start machine telemetry pub --bus "$bus" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
    run 0 ls
    said '^telemetry.cpu  *1  *0$'
    stop machine
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 'there is no region' ls
    refused 2 "there is no option '--frob'" ls --frob
    refused 2 "what to do with 'extra'" ls extra
    ;;
*)
    fail "there is no case $case"
    ;;
esac
