complete -c piranha-applier -s c -l configfile -d 'The lvs.cf that is changed' -r -F
complete -c piranha-applier -l run-dir -d 'Folder of sockets' -r -F
complete -c piranha-applier -l state-dir -d 'Folder of earlier versions and of the log of changes' -r -F
complete -c piranha-applier -l user -d 'Who may ask, besides root' -r
complete -c piranha-applier -l allow-programs -d 'Let programs below these folders be named in lvs.cf from the web' -r -F
complete -c piranha-applier -l ssh -d 'The program to send it with' -r -F
complete -c piranha-applier -s n -l nodaemon -d 'Don\'t run as a daemon'
complete -c piranha-applier -l nofork -d 'Don\'t fork, but do disassociate'
complete -c piranha-applier -s v -l verbose -d 'Verbose output'
complete -c piranha-applier -l send-to-partner -d 'Let lvs.cf be sent to the other router, where rsh_command is ssh'
complete -c piranha-applier -l receive -d 'Take lvs.cf from standard input, as the other router\'s applier sends it'
complete -c piranha-applier -l version -d 'Display version'
complete -c piranha-applier -l help -d 'Show this help message'
complete -c piranha-applier -l usage -d 'Display brief usage message'
