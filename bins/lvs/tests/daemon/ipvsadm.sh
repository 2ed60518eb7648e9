#!/bin/sh
# Stand-in for ipvsadm: keeps its table beside itself, in the form that -Sn prints. Understands -Sn, -Ln, -L --json
# (connections come from a file: SERVER ACTIVE INACTIVE), --apply and single commands; every call is written down.
here=${0%/*}
table=$here/table
[ -e "$table" ] || : >"$table"
# A batch may come long after the start, or never.
if [ "$1" = --apply ]; then
    cat >"$here/batch.$$"
    [ -s "$here/batch.$$" ] || { rm -f "$here/batch.$$"; exit 0; }
fi
[ -e "$here/delay" ] && sleep "$(cat "$here/delay")"
echo "$*" >>"$here/calls"
if [ -e "$here/broken" ]; then cat "$here/broken" >&2; exit 2; fi
case $1 in
-Sn) cat "$table"; exit 0 ;;
-Ln) awk -v counts="$here/connections" '
    BEGIN { while ((getline <counts) > 0) count[$1] = $2 " " $3; print "IP Virtual Server version 1.2.1 (size=4096)" }
    $1 == "-A" { print ($2 == "-f" ? "FWM" : $2 == "-u" ? "UDP" : "TCP"), $3, $5 }
    $1 == "-a" { print "  ->", $5, "Masq", $8, ($5 in count ? count[$5] : "0 0") }' "$table"; exit 0 ;;
-L) awk -v counts="$here/connections" '
    BEGIN {
        while ((getline <counts) > 0) { active[$1] = $2; inactive[$1] = $3 }
        zeros = "_packets\":0,\"out_packets\":0,\"in_bytes\":7,\"out_bytes\":0,\"connections_per_second\":0," \
            "\"in_packets_per_second\":0,\"out_packets_per_second\":0,\"in_bytes_per_second\":0," \
            "\"out_bytes_per_second\":0}"
        printf "{\"services\":["
    }
    function counters(n) { return "\"counters\":{\"connections\":" n ",\"in" zeros }
    function place(text, parts) { split(text, parts, ":"); return "\"address\":\"" parts[1] "\",\"port\":" parts[2] }
    $1 == "-A" {
        if (open) printf "]},"
        open = 1; between = ""
        printf "{%s,\"family\":\"ipv4\",%s,\"servers\":[", ($2 == "-f" ? "\"mark\":" $3 : \
            "\"protocol\":\"" ($2 == "-u" ? "udp" : "tcp") "\"," place($3)), counters(1)
    }
    $1 == "-a" {
        printf "%s{%s,\"active_connections\":%d,\"inactive_connections\":%d,%s}", between, place($5), active[$5], inactive[$5],
            counters(active[$5] + inactive[$5])
        between = ","
    }
    END { print (open ? "]}" : "") "]}" }' "$table"; exit 0 ;;
--apply) apply=1 ;;
*) apply=; echo "$*" >"$here/batch.$$" ;;
esac
cat "$here/batch.$$" >>"$here/operations"
awk -v apply="$apply" -v table="$table" -v refuse="$here/refuse" '
function said(text) { if (apply) print NR " error " text; else print text >"/dev/stderr"; bad = failed = 1 }
function answer() { if (apply && !bad) print NR " ok" }
function put(line, i, j) {
    # Before the next service, so that servers stand after theirs.
    for (i = 1; i <= n; i++) if (row[i] != "" && row[i] ~ /^-A/ && index(row[i], " " service " ")) break
    if (i > n) { said("Service not defined"); return }
    for (i++; i <= n && row[i] !~ /^-A/; i++);
    for (j = n; j >= i; j--) row[j + 1] = row[j]
    n++; row[i] = line
}
function find(what, i) { for (i = 1; i <= n; i++) if (index(row[i] " ", what " ") == 1) return i; return 0 }
function drop(i, j) { for (j = i; j < n; j++) row[j] = row[j + 1]; n-- }
BEGIN {
    while ((getline line <table) > 0) row[++n] = line
    while ((getline line <refuse) > 0) refused[line] = 1
}
NF == 0 { next }
{ bad = 0; if (!apply) failed = 0 }
$0 in refused { said("Memory allocation problem"); next }
$1 == "-C" { n = 0; answer(); next }
$1 == "--set" { answer(); next }
{
    service = $2 " " $3
    rest = substr($0, 4)
    if ($1 ~ /^-[aed]$/) { server = service " -r " $5 }
    if ($1 == "-A") { if (find("-A " service)) said("Service already exists"); else row[++n] = $0 }
    else if ($1 == "-E") { i = find("-A " service); if (i) row[i] = "-A " rest; else said("No such service") }
    else if ($1 == "-D") {
        if (!find("-A " service)) said("No such service")
        for (i = n; i > 0; i--) if (index(row[i] " ", " " service " ") == 3) drop(i)
    }
    else if ($1 == "-a") { if (find("-a " server)) said("Destination already exists"); else put("-a " rest) }
    else if ($1 == "-e") { i = find("-a " server); if (i) row[i] = "-a " rest; else said("No such destination") }
    else if ($1 == "-d") { i = find("-a " server); if (i) drop(i); else said("No such destination") }
    else said("what is " $1 "?")
    answer()
}
END {
    printf "" >(table ".new")
    for (i = 1; i <= n; i++) print row[i] >(table ".new")
    exit failed ? 255 : 0
}' "$here/batch.$$"
status=$?
mv "$table.new" "$table"
rm -f "$here/batch.$$"
exit $status
