complete -c nanny -s t -l interval -d 'Pause between checks, and time limit of a check' -r
complete -c nanny -s I -l ipvsadm -d 'Path of ipvsadm' -r
complete -c nanny -s U -l loadcmd -d 'Load monitor: rup, ruptime, rsh, ssh, program, none' -r
complete -c nanny -s M -l method -d 'Forwarding method: m, g or i' -r
complete -c nanny -s p -l port -d 'Port of the virtual service' -r
complete -c nanny -s r -l rport -d 'Port of the real server, when it is another one' -r
complete -c nanny -s a -l reentrytime -d 'How long a failed server must answer again' -r
complete -c nanny -s S -l scale -d 'Load raises the weight up to this factor' -r
complete -c nanny -s h -l server -d 'Address of the real server' -r
complete -c nanny -s e -l send_program -d 'Program that checks instead (%h, %p)' -r
complete -c nanny -s s -l send_string -d 'Text to send' -r
complete -c nanny -s x -l expect_string -d 'Text to expect' -r
complete -c nanny -s V -l virtaddress -d 'Address of the virtual service' -r
complete -c nanny -s f -l fwmark -d 'Firewall mark of the virtual service' -r
complete -c nanny -s w -l weight -d 'Weight of the real server' -r
complete -c nanny -s n -l nodaemon -d 'Stay in the foreground, messages on standard output'
complete -c nanny -s c -l nofork -d 'Do not fork, but detach'
complete -c nanny -l regex -d 'The expected text is an extended regular expression'
complete -c nanny -s T -l suppress -d 'Do not decode backslash sequences'
complete -c nanny -s q -l quiesce_server -d 'Weight 0 instead of removal'
complete -c nanny -s u -l udp -d 'UDP instead of TCP'
complete -c nanny -s v -l verbose -d 'Debug messages'
complete -c nanny -l fos -d 'Watch a failover service'
complete -c nanny -l lvs -d 'Watch a real server of a virtual service'
complete -c nanny -l test-start -d 'Do not run ipvsadm'
complete -c nanny -l norun -d 'Do not run ipvsadm'
complete -c nanny -l version -d 'Display version'
complete -c nanny -l help -d 'Show this help message'
complete -c nanny -l usage -d 'Display brief usage message'
