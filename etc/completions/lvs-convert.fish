complete -c lvs-convert -l from -d 'Format of the file: keepalived or ldirectord (seen from the text)' -r
complete -c lvs-convert -s o -l output -d 'Write lvs.cf to this file, not to standard output' -r -F
complete -c lvs-convert -l interface -d 'Interface of VIPs that the file names none for (eth0)' -r
complete -c lvs-convert -l primary -d 'The primary router\'s own address' -r
complete -c lvs-convert -l backup -d 'The backup router\'s own address' -r
complete -c lvs-convert -l force -d 'Replace the file that --output names'
complete -c lvs-convert -l version -d 'Display version'
complete -c lvs-convert -l help -d 'Show this help message'
complete -c lvs-convert -l usage -d 'Display brief usage message'
