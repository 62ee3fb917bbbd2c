# Completion for bash: commands, options and their choices as `xaudit --help` and `xaudit COMMAND --help` list them, settings
# as `xaudit help settings` lists them, else files.
_xaudit() {
  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-} words="" page
  if [ "$COMP_CWORD" = 1 ] || { [ "$COMP_CWORD" = 2 ] && [ "$command" = help ]; }; then
    words=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^  xaudit \([a-z]*\) .*/\1/p')
    [ "$COMP_CWORD" = 1 ] || words+=" settings"
  elif [ "$COMP_CWORD" = 3 ] && [ "$command $before" = "help settings" ]; then
    words=$("${COMP_WORDS[0]}" help settings 2>/dev/null | sed -n 's/^  \([a-z_]*\) .*/\1/p')
  else
    page=$("${COMP_WORDS[0]}" "$command" --help 2>/dev/null </dev/null)
    if [ "${cur#-}" != "$cur" ]; then
      words=$(sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p' <<<"$page")
    elif [ "${before#--}" != "$before" ]; then
      words=$(sed -n "s/^  \(-[a-z], \)\{0,1\}$before \([a-z0-9-]*|[a-z0-9|-]*\).*/\2/p" <<<"$page" | tr '|' ' ')
    fi
  fi
  if [ -n "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -o filenames -F _xaudit xaudit
