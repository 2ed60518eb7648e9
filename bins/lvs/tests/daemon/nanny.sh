#!/bin/sh
# Stand-in for nanny: greets, then reports what is written into the pipe REAL:RPORT beside it.
here=${0%/*}
echo "$0 $*" >>"$here/nannies"
real= port=
while [ $# -gt 0 ]; do
    case $1 in
    -h) real=$2 ;;
    -r) port=$2 ;;
    esac
    shift
done
echo "$real:$port pid=$$ slots=${PIRANHA_PROGRAM_SLOTS-none} weight=${PIRANHA_WEIGHT-none}" >>"$here/starts"
[ -p "$here/$real:$port" ] || mkfifo "$here/$real:$port"
exec 4<>"$here/$real:$port"
[ -n "$PIRANHA_REPORT" ] && echo "nanny 1" >&3
while read -r line <&4; do
    case $line in
    die) exit 3 ;;
    up*) echo "[ active ] making $real:$port available weight=${line#up }" >&3 ;;
    down*) echo "[inactive] shutting down $real:$port due to connection failure reason=${line#down }" >&3 ;;
    esac
done
