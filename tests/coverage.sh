#!/usr/bin/env bash
# Line coverage of the unit tests and the tests of the command line, by gcov, per room of src/.
#   tests/coverage.sh          builds the preset coverage into build-coverage/, runs its tests, and writes
#                              results/coverage-lines.md
#   tests/coverage.sh report   says only what tests that ran there have covered, as tests/run.sh does
# It exits with 1 if fewer lines are covered than FLOOR says. Tests of several nodes (slurm) are left out. A process that is
# killed, or that leaves by _exit, loses its counters: code that only such processes reach counts as not covered.
set -uo pipefail
FLOOR=85
export XA_ROOT
XA_ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$XA_ROOT" || exit 1
. jobs/setup.sh
build=build-coverage
report() {
  python3 tests/coverage.py "$build" "$FLOOR" >"$build/coverage-lines.md"
  local enough=$?
  sed -n '/^| room/,/^| all/p' "$build/coverage-lines.md"
  return $enough
}
case "${1:-}" in
"") ;;
report)
  report
  exit
  ;;
*)
  echo "usage: tests/coverage.sh [report]" >&2
  exit 2
  ;;
esac
# shellcheck disable=SC2086
xa_packages $XA_PACKAGES $XA_TEST_PACKAGES || exit 1
xa_build_preset coverage "$build" || exit 1
find "$build" -name '*.gcda' -delete
# What a run with failed tests covers says nothing about the tests.
ctest --test-dir "$build" -j "${XA_JOBS:-4}" --output-on-failure >"$build/tests.log" 2>&1 || {
  grep -vE 'Test .*Passed|^ *Start ' "$build/tests.log" | tail -n 40
  exit 1
}
report || exit 1
cp "$build/coverage-lines.md" results/coverage-lines.md
