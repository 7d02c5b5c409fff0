#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
traffic=$1/../../../tests/tools/web_traffic

serve() {
    start web peal web --listen 0 "$@"
    expect_note web 'listening on http://127.0.0.1:[0-9]*/$'
    port=$(sed -n 's|.*listening on http://127.0.0.1:\([0-9]*\)/$|\1|p' "$dir/web.err")
}

# get PATH [HOST]: the headers go to $dir/head, the body to $dir/run.out.
get() {
    perl "$here/metrics_http.pl" get "$port" GET "$@" >"$dir/answer" || fail "no answer to $*"
    sed '/^\r*$/,$d' "$dir/answer" >"$dir/head"
    sed '1,/^\r*$/d' "$dir/answer" >"$dir/run.out"
}

headed() {
    grep -q -- "$1" "$dir/head" || fail "no header '$1' in: $(cat "$dir/head")"
}

case $case in
the_page_shows_live_what_goes_on)
    start source "$traffic" publish "$bus"
    expect_line source publishes
    start slow "$traffic" subscribe "$bus"
    expect_line slow subscribes
    serve
    code=0
    perl "$here/web_page.pl" "http://127.0.0.1:$port/" || code=$?
    [ "$code" -ne 77 ] || exit 77
    [ "$code" -eq 0 ] || fail 'the page is not as it should be'
    stop web
    ;;
pages_are_served_and_let_nothing_in)
    start source "$traffic" publish "$bus"
    expect_line source publishes
    serve
    for file in "$source"/tools/peal/serve/web/*; do
        path=/$(basename "$file")
        [ "$path" != /index.html ] || path=/
        get "$path"
        headed ' 200 '
        headed "^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        headed '^X-Content-Type-Options: nosniff'
        headed '^Cache-Control: no-store'
        case $path in
        /) headed '^Content-Type: text/html; charset=utf-8' ;;
        *.css) headed '^Content-Type: text/css' ;;
        *.js) headed '^Content-Type: text/javascript' ;;
        *) fail "what is $path?" ;;
        esac
        cmp "$file" "$dir/run.out" || fail "$path is not the file"
    done
    grep -q 'innerHTML\|outerHTML\|insertAdjacentHTML\|document\.write\|eval(' "$source"/tools/peal/serve/web/* &&
        fail 'texts go into the page as markup'
    grep -q 'https\?://' "$source"/tools/peal/serve/web/*.html "$source"/tools/peal/serve/web/*.css && fail 'something is from elsewhere'
    get /api/snapshot
    headed '^Content-Type: application/json'
    json_is '$j->{bus}' "$bus"
    json_is '$j->{up} ? 1 : 0' 1
    json_is 'join ",", sort map { $_->{name} } @{ $j->{topics} }' "<script>document.title='x'</script>,fast"
    json_is '(grep { $_->{name} eq "fast" } @{ $j->{topics} })[0]{publishers}[0]{message_mean_bytes} == 1000 ? 1 : 0' 1
    json_is '$j->{clients}[0]{name}' source
    json_is '$j->{region}{free_bytes} > 0 && $j->{region}{free_bytes} < $j->{region}{data_bytes} ? 1 : 0' 1
    get /api/snapshot evil.example
    headed ' 403 '
    get /../etc/passwd
    headed ' 404 '
    refused 1 'in use' web --listen "$port"
    stop web
    ;;
a_bus_that_is_not_there_yet_is_waited_for)
    start web peal web --listen 0
    expect_note web 'there is no region'
    expect_note web 'listening on'
    port=$(sed -n 's|.*listening on http://127.0.0.1:\([0-9]*\)/$|\1|p' "$dir/web.err")
    get /api/snapshot
    json_is '$j->{up} ? 1 : 0' 0
    json_is '$j->{reason}' 'no such object'
    json_is 'scalar @{ $j->{topics} }' 0
    start source "$traffic" publish "$bus"
    expect_line source publishes
    get /api/snapshot
    json_is '$j->{up} ? 1 : 0' 1
    stop web
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 2 "no transport 'frob'" web --bus frob:x
    refused 2 'listen wants' web --listen example.org:80
    refused 2 "what to do with 'extra'" web extra
    refused 2 "there is no option '--open'" web --open
    ;;
*)
    fail "there is no case $case"
    ;;
esac
