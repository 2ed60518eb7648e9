complete -c lvsd -s c -l configfile -d 'Configuration file' -r -F
complete -c lvsd -l run-dir -d 'Folder of status files and sockets' -r -F
complete -c lvsd -l state-dir -d 'Folder of what survives a restart' -r -F
complete -c lvsd -l drain -d 'Give a server no new connections' -r
complete -c lvsd -l enable -d 'Give it connections again' -r
complete -c lvsd -l for -d 'Drain for so long: 90, 90s, 15m, 2h, 1d' -r
complete -c lvsd -l why -d 'Why it is drained' -r
complete -c lvsd -s n -l nodaemon -d 'Don\'t run as a daemon'
complete -c lvsd -l nofork -d 'Don\'t fork, but do disassociate'
complete -c lvsd -s t -l test-start -d 'Display what commands would be run, but don\'t run them'
complete -c lvsd -s v -l verbose -d 'Verbose output'
complete -c lvsd -l status -d 'Show what the running lvs does and why'
complete -c lvsd -l plan -d 'Show what a reload with the configuration file would change'
complete -c lvsd -l reload -d 'Have the running lvs read its configuration again; ends when the table follows'
complete -c lvsd -l json -d 'Show it as JSON'
complete -c lvsd -l version -d 'Display version'
complete -c lvsd -l help -d 'Show this help message'
complete -c lvsd -l usage -d 'Display brief usage message'
