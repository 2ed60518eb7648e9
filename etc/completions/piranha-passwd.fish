complete -c piranha-passwd -l user -d 'The account (piranha)' -r
complete -c piranha-passwd -l role -d 'admin or read-only; a new account is admin' -r
complete -c piranha-passwd -l file -d 'The file of accounts' -r -F
complete -c piranha-passwd -l owner -d 'The web tool\'s user, who owns the file' -r
complete -c piranha-passwd -l stdin -d 'Read the password from standard input'
complete -c piranha-passwd -l delete -d 'Remove the account'
complete -c piranha-passwd -l list -d 'Show accounts and roles'
complete -c piranha-passwd -l version -d 'Display version'
complete -c piranha-passwd -l help -d 'Show this help message'
complete -c piranha-passwd -l usage -d 'Display brief usage message'
