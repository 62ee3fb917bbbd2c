#!/usr/bin/env bash
# Line coverage of the unit tests and the tests of the command line, by gcov, into results/coverage-lines.md.
#   tests/coverage.sh      builds the preset coverage into build-coverage/ first
# It exits with 1 if fewer lines are covered than FLOOR says. Tests of several nodes (slurm) are left out. A process that is
# killed, or that leaves by _exit, loses its counters: code that only such processes reach counts as not covered.
set -uo pipefail
FLOOR=85
export XA_ROOT
XA_ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$XA_ROOT" || exit 1
. jobs/setup.sh
build=build-coverage
# shellcheck disable=SC2086
xa_packages $XA_PACKAGES $XA_TEST_PACKAGES || exit 1
xa_build_preset coverage build-coverage || exit 1
find "$build" -name '*.gcda' -delete
# cli_cluster limits the size of files to less than the counters take.
ctest --test-dir "$build" -LE slurm -E '^cli_cluster$' -j "${XA_JOBS:-3}" --output-on-failure >"$build/tests.log" 2>&1
tests_passed=$?
grep -vE 'Test .*Passed|^ *Start ' "$build/tests.log" | tail -n 40
python3 tests/coverage.py "$build" "$FLOOR" >"$build/coverage-lines.md"
enough=$?
# What a run with failed tests covers says nothing about the tests.
[ $tests_passed = 0 ] || exit 1
cp "$build/coverage-lines.md" results/coverage-lines.md
exit $enough
