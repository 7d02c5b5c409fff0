#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# workers.sh FOLDER CASE
bin=$1 case=$2
. "$(dirname "$0")/lib.sh"

case $case in
every_job_is_done_though_workers_are_killed)
    start all workers run --bus "$bus" --jobs 2000 --work-us 100 --kill-ms 20 --duration-s 60
    expect_exit all 0
    expect_line all '^4000 of 4000 jobs done, '
    awk '/ workers killed$/ { killed = $(NF - 2) } END { exit killed < 3 }' "$dir/all.out" ||
        fail "no workers were killed"
    ;;
jobs_wait_for_a_worker)
    start poster workers post --bus "$bus" --jobs 200 --work-us 0
    expect_exit poster 0
    expect_line poster '^posted 200 jobs'
    start all workers run --bus "$bus" --jobs 100 --posters 1 --workers 1 --kill-ms 0 --duration-s 60
    expect_exit all 0
    expect_line all '^100 of 100 jobs done, '
    ;;
mistakes_are_told)
    expect_refused 'a command is missing' 2 workers
    expect_refused "no option '--twice'" 2 workers work --twice
    expect_refused 'cannot open the bus: .*' 1 workers post --bus 'carrier-pigeon:x'
    ;;
*)
    fail "there is no case $case"
    ;;
esac
