# SPDX-License-Identifier: Apache-2.0
# bash completion of peal(1): asks `peal complete`, which knows all there is. Needs the package bash-completion.

_peal() {
    local cur words cword
    _get_comp_words_by_ref -n '=:' cur words cword || return

    # Of this very program, where it was named by a path.
    local program=peal
    [[ ${words[0]} == */* && -x ${words[0]} ]] && program=${words[0]}

    # Words are as they were typed: without quotes and backslashes they are what the program would get.
    local -a typed=()
    local word quote=
    for word in "${words[@]:1:cword-1}"; do
        typed+=("${word//[\'\"\\]/}")
    done
    case $cur in
    [\'\"]*) quote=${cur:0:1} ;;
    esac
    cur=${cur//[\'\"\\]/}

    # readline puts candidates in place of what follows the last of these letters, not of the whole word.
    local breaks=${COMP_WORDBREAKS//[^=:]/} behind=$cur
    if [[ -z $quote && -n $breaks ]]; then
        behind=${cur##*[$breaks]}
    fi
    local ahead=${cur%"$behind"}

    local line candidate
    local -a paths
    while IFS= read -r line; do
        candidate=${line%%$'\t'*}
        if [[ -z $candidate ]]; then
            candidate=${line##*$'\t'}
            compopt -o filenames
            mapfile -t paths < <(compgen -f -- "${cur#"$candidate"}")
            COMPREPLY+=("${paths[@]/#/"${candidate#"$ahead"}"}")
            continue
        fi
        [[ $candidate == *: ]] && compopt -o nospace
        candidate=${candidate#"$ahead"}
        [[ -n $quote ]] || printf -v candidate %q "$candidate"
        COMPREPLY+=("$candidate")
    done < <("$program" complete -- "${typed[@]}" "$cur" 2>/dev/null)
} &&
    complete -F _peal peal
