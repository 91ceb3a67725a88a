# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for patronctl

# The ids of the loads that are held. What is no id is left out: the words come from outside.
_patronctl_held() {
	patronctl release --json 2>/dev/null | grep -oE '"id":"[0-9A-Za-z-]+"' | cut -d '"' -f 4
}

_patronctl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb="" one i
	local verbs="status run watch cancel release reload check-config" options="--socket --json --help --version"

	for ((i = 1; i < COMP_CWORD; i++)); do
		one=${COMP_WORDS[i]}
		[[ " $verbs " == *" $one "* ]] && verb=$one
	done
	case $before in
	--socket | --config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac
	case $verb in
	"") options="$options $verbs" ;;
	run) options="$options --dry-run --again --wait sftp share" ;;
	release) options="$options --wait $(_patronctl_held)" ;;
	check-config) options="--config --help --version" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}

complete -F _patronctl patronctl
