# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for patronctl

# The ids of the loads that are held. What is no id is left out: the words come from outside.
function __patronctl_held
    patronctl release --json 2>/dev/null | string match -ra '"id":"[0-9A-Za-z-]+"' | string split -f 4 '"'
end

set -l verbs status run watch cancel release reload check-config
set -l no_verb "not __fish_seen_subcommand_from $verbs"

complete -c patronctl -f
complete -c patronctl -n $no_verb -a status -d 'what runs, the last loads, what is held or due'
complete -c patronctl -n $no_verb -a run -d 'look now'
complete -c patronctl -n $no_verb -a watch -d 'show progress and results until interrupted'
complete -c patronctl -n $no_verb -a cancel -d 'end the load that runs'
complete -c patronctl -n $no_verb -a release -d 'let a held load go'
complete -c patronctl -n $no_verb -a reload -d 'read the configuration anew'
complete -c patronctl -n $no_verb -a check-config -d 'print the effective configuration'
complete -c patronctl -n '__fish_seen_subcommand_from run' -a 'sftp share' -d 'take feeds from it only'
complete -c patronctl -n '__fish_seen_subcommand_from run' -l dry-run -d 'write nothing anywhere'
complete -c patronctl -n '__fish_seen_subcommand_from run' -l again -d 'also load what is done or held'
complete -c patronctl -n '__fish_seen_subcommand_from run release' -l wait -d 'show progress and result'
complete -c patronctl -n '__fish_seen_subcommand_from release' -a '(__patronctl_held)' -d 'held load'
complete -c patronctl -n '__fish_seen_subcommand_from check-config' -l config -rF -d 'read that file'
complete -c patronctl -l socket -rF -d 'the control socket'
complete -c patronctl -l json -d 'print the answers as JSON'
complete -c patronctl -l help -d 'print help'
complete -c patronctl -l version -d 'print the version'
