complete -c pulse -s c -l configfile -d 'Configuration file' -r -F
complete -c pulse -l lvs -d 'Path to the lvs program' -r -F
complete -c pulse -l lvsd -d 'Path to the lvs program' -r -F
complete -c pulse -l fos -d 'Path to the fos program (failover services are not supported)' -r -F
complete -c pulse -l run-dir -d 'Folder for sockets and status files' -r -F
complete -c pulse -l state-dir -d 'Folder for what must survive a restart' -r -F
complete -c pulse -l format -d 'With --check and --show-config: text or json' -r
complete -c pulse -l against -d 'With --check: also tell what changes from this file' -r -F
complete -c pulse -l to -d 'With --metrics: replace this file instead, for node_exporter\'s textfile collector' -r -F
complete -c pulse -s n -l nodaemon -d 'Don\'t run as a daemon'
complete -c pulse -l nofork -d 'Don\'t fork, but do detach'
complete -c pulse -s t -l test-start -d 'Print every command, execute none'
complete -c pulse -l norun -d 'The same as --test-start'
complete -c pulse -s v -l verbose -d 'Verbose debugging output'
complete -c pulse -l forceactive -d 'Become active at once'
complete -c pulse -l check -d 'Check the configuration file and say what is wrong with it'
complete -c pulse -l show-config -d 'Print what the configuration file means, defaults included'
complete -c pulse -l status -d 'Ask the running pulse what it is: exit 0 active, 3 standby, 4 trouble'
complete -c pulse -l json -d 'With --status: as one line of JSON'
complete -c pulse -l metrics -d 'Print what the status files of pulse and lvs say as metrics for Prometheus'
complete -c pulse -l reload -d 'Have the running pulse read the configuration again: exit 0 followed, 1 refused'
complete -c pulse -l hand-over -d 'Have the running pulse hand over to its partner'
complete -c pulse -l version -d 'Display version'
complete -c pulse -l help -d 'Show this help message'
complete -c pulse -l usage -d 'Display brief usage message'
