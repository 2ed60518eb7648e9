complete -c send_arp -s i -d 'Network interface to send on' -r
complete -c send_arp -l batch -d 'Read announcements from standard input, one a line'
complete -c send_arp -l help -d 'Show this help message'
complete -c send_arp -l version -d 'Display version'
