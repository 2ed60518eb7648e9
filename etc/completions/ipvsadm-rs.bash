# Completion of ipvsadm-rs for bash; made from the program's table of flags.
_ipvsadm_rs() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    case $before in
        --start-daemon) COMPREPLY=($(compgen -W 'master backup' -- "$word")); return ;;
        --stop-daemon) COMPREPLY=($(compgen -W 'master backup' -- "$word")); return ;;
        -t|--tcp-service) return ;;
        -u|--udp-service) return ;;
        --sctp-service) return ;;
        -f|--fwmark-service) return ;;
        -s|--scheduler) COMPREPLY=($(compgen -W 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh' -- "$word")); return ;;
        -M|--netmask) return ;;
        -r|--real-server) return ;;
        -w|--weight) return ;;
        -x|--u-threshold) return ;;
        -y|--l-threshold) return ;;
        --mcast-interface) return ;;
        --syncid) return ;;
        --pe) COMPREPLY=($(compgen -W 'sip' -- "$word")); return ;;
        -b|--sched-flags) COMPREPLY=($(compgen -W 'flag-1 flag-2 flag-3 sh-fallback sh-port mh-fallback mh-port' -- "$word")); return ;;
        --mcast-group) return ;;
        --mcast-port) return ;;
        --mcast-ttl) return ;;
        --sync-maxlen) return ;;
        --tun-type) COMPREPLY=($(compgen -W 'ipip gue gre' -- "$word")); return ;;
        --tun-port) return ;;
        --only) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W '-A --add-service -E --edit-service -D --delete-service -C --clear -L -l --list -a --add-server -d --delete-server -e --edit-server --set --start-daemon --stop-daemon -R --restore -S --save -Z --zero -h --help -v --version --apply --watch' -- "$word"))
    else
        COMPREPLY=($(compgen -W '-n --numeric -c --connection -t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -s --scheduler -p --persistent -M --netmask -r --real-server -g --gatewaying -i --ipip -m --masquerading -w --weight -x --u-threshold -y --l-threshold --mcast-interface --timeout --daemon --stats --rate --thresholds --persistent-conn --nosort --syncid -X --exact -o --ops --pe -b --sched-flags --mcast-group --mcast-port --mcast-ttl --sync-maxlen --tun-info --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum -6 --ipv6 --sort --json --check --lines --sync --only --dry-run' -- "$word"))
    fi
}
complete -F _ipvsadm_rs ipvsadm-rs
