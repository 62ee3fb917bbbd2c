#!/usr/bin/env bash
# The rules of the house that no compiler checks: sizes of files, functions and rooms, and which way headers are used.
#   tests/house.sh
# Known exceptions stand in tests/house.txt, which may only shrink.
exec python3 "$(dirname "$0")/house.py" "$@"
