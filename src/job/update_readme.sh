#!/bin/sh
# Writes README's table of settings from the program's own, src/job/settings.def.   update_readme.sh XAUDIT
# test_settings fails where the two differ.
set -eu
xaudit=${1:-build/xaudit}
readme=$(dirname "$0")/../../README.md
table=$(mktemp) && new=$(mktemp)
trap 'rm -f "$table" "$new"' EXIT
"$xaudit" help settings --markdown >"$table"
awk -v table="$table" '
  /^<!-- end of settings -->/ { while ((getline line <table) > 0) print line; inside = 0 }
  !inside { print }
  /^<!-- settings:/ { inside = 1 }' "$readme" >"$new"
cat "$new" >"$readme"
