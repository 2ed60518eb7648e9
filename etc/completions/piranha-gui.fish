complete -c piranha-gui -s l -l listen -d 'Where to listen; 127.0.0.1:3636 without it' -r
complete -c piranha-gui -l certificate -d 'Certificate chain (PEM) for TLS' -r -F
complete -c piranha-gui -l key -d 'Private key (PEM) for TLS' -r -F
complete -c piranha-gui -l allow -d 'Serve only these client networks, separated by commas' -r
complete -c piranha-gui -l host-name -d 'Names of this machine in browsers\' addresses, separated by commas' -r
complete -c piranha-gui -l metrics-token -d 'Token that opens /metrics to Prometheus; without it only whoever is logged in sees them' -r -F
complete -c piranha-gui -l accounts -d 'Account file, made by piranha-passwd' -r -F
complete -c piranha-gui -s c -l configfile -d 'Configuration file' -r -F
complete -c piranha-gui -l run-dir -d 'Folder of the daemons\' status files' -r -F
complete -c piranha-gui -l applier -d 'Socket of piranha-applier' -r -F
complete -c piranha-gui -l user -d 'Who to run as when started by root; piranha without it' -r
complete -c piranha-gui -l idle -d 'A session ends when it is unused for so long; 30 without it' -r
complete -c piranha-gui -l longest -d 'A session ends after so long in any case; 720 without it' -r
complete -c piranha-gui -l insecure-http -d 'Allow plain HTTP on an address that others reach'
complete -c piranha-gui -l version -d 'Display version'
complete -c piranha-gui -l help -d 'Show this help message'
complete -c piranha-gui -l usage -d 'Display brief usage message'
