# bash completion for binlog-sslctl. Names come from the daemon, when it is reachable.

_binlog_sslctl_names() {
        # In the answer a material's name is followed by its directory, a cluster's by its host.
        timeout 2 binlog-sslctl ${1:+--socket "$1"} --json status 2>/dev/null |
                grep -oE "\"name\":\"[A-Za-z0-9._-]+\",\"$2\"" | cut -d'"' -f4
}

_binlog_sslctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
        local command= socket= options="--socket --json --help" word i

        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                --socket) socket=${COMP_WORDS[++i]} ;;
                --cert | --ca | --key | --timeout) ((i++)) ;;
                -*) ;;
                *) [[ -n $command ]] || command=$word ;;
                esac
        done
        case $prev in
        --socket | --cert | --ca | --key)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
                ;;
        --timeout)
                mapfile -t COMPREPLY < <(compgen -W "30s 1min 5min 15min" -- "$cur")
                return
                ;;
        esac
        case $command in
        status) options+=" --problems --watch" ;;
        import) options+=" --force --wait --ignore-replication --timeout" ;;
        check-clusters | remove) options+=" --timeout" ;;
        wait) options+=" --cert --ignore-replication --timeout" ;;
        reload) options+=" --dry-run" ;;
        check) options+=" --ca --cert --key" ;;
        "") options+=" --version" ;;
        esac
        if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
                return
        fi
        case $command in
        "")
                mapfile -t COMPREPLY < <(compgen -W \
                        "status history explain check check-clusters import remove wait monitor metrics nagios reload" -- "$cur")
                ;;
        status | history | check-clusters | import | remove)
                mapfile -t COMPREPLY < <(compgen -W \
                        "$(_binlog_sslctl_names "$socket" host)" -- "$cur")
                ;;
        explain)
                mapfile -t COMPREPLY < <(compgen -W \
                        "$(_binlog_sslctl_names "$socket" directory)" -- "$cur")
                ;;
        check)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -d -- "$cur")
                ;;
        esac
}

complete -F _binlog_sslctl binlog-sslctl
