#!/bin/sh
# Writes the table of settings in jobs/REFERENCE.md from the program's own, src/job/settings.def.   update_reference.sh XAUDIT
# test_settings fails where the two differ.
set -eu
xaudit=${1:-build/xaudit}
page=$(dirname "$0")/../../jobs/REFERENCE.md
table=$(mktemp) && new=$(mktemp)
trap 'rm -f "$table" "$new"' EXIT
"$xaudit" help settings --markdown >"$table"
awk -v table="$table" '
  /^<!-- end of settings -->/ { while ((getline line <table) > 0) print line; inside = 0 }
  !inside { print }
  /^<!-- settings:/ { inside = 1 }' "$page" >"$new"
cat "$new" >"$page"
