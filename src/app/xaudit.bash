# Completion for bash: commands and options as `xaudit --help` lists them, else files.
_xaudit() {
  local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} words=""
  if [ "$COMP_CWORD" = 1 ]; then
    words=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^  xaudit \([a-z]*\) .*/\1/p')
  elif [ "${cur#-}" != "$cur" ]; then
    words=$({
      "${COMP_WORDS[0]}" --help 2>/dev/null | awk -v c="$command" '$1 == "xaudit" {on = $2 == c} on'
      case $command in summary | evaluate | merge | figure | report | manifest) "${COMP_WORDS[0]}" "$command" --help 2>/dev/null ;; esac
    } | grep -oE -- '--[a-z][a-z-]*' | sort -u)
  fi
  if [ -n "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -o filenames -F _xaudit xaudit
