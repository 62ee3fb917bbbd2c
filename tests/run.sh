#!/usr/bin/env bash
# All tests on a fresh Debian or Ubuntu: packages, formatting, release build and its tests, the same with ASan and UBSan, with
# a little fuzzing and the floor of line coverage. Formatting and unit tests come first: what fails most often is then seen
# soonest.
#   tests/run.sh           what every landing passes
#   tests/run.sh quick     formatting, rules of the house, release build and unit tests: what one runs before a commit
#   tests/run.sh --full    also libFuzzer's targets by clang, Valgrind, NEON under qemu, clang-tidy, and the long loops of kills
#                          and of random changes
# Tests of the command line mostly wait for other processes: more of them run at once than there are cores, and the next
# build goes on meanwhile at low priority.
set -uo pipefail
export XA_ROOT
XA_ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh

full="" quick=""
case "${1:-}" in
"") ;;
quick) quick=1 ;;
--full) full=1 ;;
*)
  echo "usage: tests/run.sh [quick | --full]" >&2
  exit 2
  ;;
esac
export XA_FULL="$full"
failed=0
passed=0
skipped=0
timetable=""
step_name="" step_began=$SECONDS

# Begins a step; what each took is printed at the end.
step() {
  [ -n "$step_name" ] && timetable+=$(printf '%5d s  %s' $((SECONDS - step_began)) "$step_name")$'\n'
  step_name=$1
  step_began=$SECONDS
  [ -z "$1" ] || xa_say "$1"
}

# Counts what ctest says at its end: "97% tests passed, 1 tests failed out of 34".
count() {
  local log=$1 all bad
  all=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$log" | tail -n 1)
  bad=$(sed -n 's/.*, \([0-9]*\) tests failed out of.*/\1/p' "$log" | tail -n 1)
  passed=$((passed + ${all:-0} - ${bad:-0}))
  failed=$((failed + ${bad:-0}))
  if [ "${all:-0}" = 0 ]; then
    echo "no test ran: $log" >&2
    failed=$((failed + 1))
  fi
}

# tests FOLDER NAME CTEST-OPTION..: a part of a build's tests
tests() {
  local folder=$1 log=$1/tests-$2.log
  shift 2
  ctest --test-dir "$folder" --output-on-failure "$@" >"$log" 2>&1
  grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed|^ *Start ' "$log" | tail -n 60
  count "$log"
  local said
  said=$(grep -h 'XA_SKIPPED' "$folder"/Testing/Temporary/LastTest.log 2>/dev/null | sort -u)
  if [ -n "$said" ]; then
    echo "$said"
    skipped=$((skipped + $(echo "$said" | wc -l)))
  fi
}

# build PRESET FOLDER: in the foreground; a failure is counted and says what the compiler said
build() {
  xa_build_preset "$@" && return 0
  failed=$((failed + 1))
  return 1
}

# A build in the background; await_build FOLDER waits for it and shows what it printed.
background_build() {
  (nice -n 10 bash -c '. jobs/setup.sh; xa_build_preset "$@"' xa_build_preset "$@" >"$2.background.log" 2>&1) &
  background=$!
}
await_build() {
  local code=0
  wait "$background" || code=1
  cat "$1.background.log"
  rm -f "$1.background.log"
  failed=$((failed + code))
  return $code
}

verdict() {
  step ""
  printf '\n%s\n%s passed, %s failed, %s skipped\n' "$timetable" "$passed" "$failed" "$skipped"
  [ "$failed" = 0 ]
  exit
}

step "packages"
# shellcheck disable=SC2086
xa_packages $XA_PACKAGES $XA_TEST_PACKAGES || exit 1
if [ -z "$quick" ]; then
  # shellcheck disable=SC2086
  xa_packages $XA_BROWSER_PACKAGES || echo "no browser: the report is not tested in one" >&2
fi

step "formatting (clang-format 14)"
if command -v clang-format-14 >/dev/null 2>&1; then
  bad=$(git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run 2>&1 | grep -c 'code should be clang-formatted')
  if [ "$bad" = 0 ]; then
    passed=$((passed + 1))
  else
    echo "$bad places differ: run clang-format-14 -i" >&2
    failed=$((failed + 1))
  fi
else
  echo "XA_SKIPPED formatting: no clang-format-14 here" >&2
  skipped=$((skipped + 1))
fi

step "rules of the house (sizes, which way headers are used)"
if tests/house.sh; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

step "release: build"
if build release build-test; then
  release=1
  step "release: unit tests"
  tests build-test unit -L unit -j 2
fi
[ -n "$quick" ] && verdict

step "release: tests of ranks, of the command line and of several nodes, while the sanitized build is made"
# Counters of gcov change nothing but the build's time: a third build for them would take minutes more.
background_build coverage build-coverage
[ -n "${release:-}" ] && tests build-test others -LE unit -j 4

step "sanitized: rest of the build"
if await_build build-coverage; then
  step "sanitized: tests"
  find build-coverage -name '*.gcda' -delete # of an earlier run
  tests build-coverage all -j 4
  step "line coverage of the sanitized tests and its floor"
  if tests/coverage.sh report; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

# optional NAME COMMAND..: one test whose exit code 77 is a skip
optional() {
  step "$1"
  shift
  "$@"
  case $? in
  0) passed=$((passed + 1)) ;;
  77) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac
}

tidy() {
  if ! command -v run-clang-tidy-14 >/dev/null 2>&1; then
    echo "XA_SKIPPED clang-tidy: no run-clang-tidy-14 here" >&2
    return 77
  fi
  run-clang-tidy-14 -p build-test -j 2 -quiet '/src/.*\.c$' >build-test/tidy.log 2>/dev/null
  ! grep -E 'warning:|error:' build-test/tidy.log
}

# Longer runs are described in tests/fuzz/README.md.
fuzzing() {
  if ! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n == 9; }' |
    clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null; then
    echo "XA_SKIPPED libFuzzer: no clang that has it here (Debian: clang libclang-rt-14-dev)" >&2
    return 77
  fi
  xa_build_preset fuzz build-fuzz && tests/fuzz/run.sh build-fuzz 60
}

if [ -n "$full" ]; then
  clang_packages="clang"
  apt-cache show libclang-rt-14-dev >/dev/null 2>&1 && clang_packages="clang libclang-rt-14-dev"
  # shellcheck disable=SC2086
  xa_packages $clang_packages || true
  optional "libFuzzer, a minute for each target" fuzzing
  xa_packages valgrind || true
  export XA_MPIRUN="mpirun --oversubscribe --bind-to none"
  optional "Valgrind" bash tests/cli/valgrind.sh "$XA_ROOT/build-test/xaudit" "$XA_ROOT"
  xa_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user || true
  optional "NEON under qemu" tests/nn/aarch64.sh
  xa_packages clang-tidy || true
  optional "clang-tidy 14 (settings in .clang-tidy)" tidy
fi
verdict
