#!/usr/bin/env bash
# All tests on a fresh Debian or Ubuntu: packages, release build and its tests, the same with ASan and UBSan,
# the command line, a little fuzzing, formatting.
#   tests/run.sh [--full]
set -uo pipefail
XA_ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh

full=""
[ "${1:-}" = "--full" ] && full=1
export XA_FULL="$full"
failed=0
passed=0
skipped=0

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
  local s
  s=$(grep -hc 'XA_SKIPPED' "$(dirname "$log")/Testing/Temporary/LastTest.log" || true)
  skipped=$((skipped + ${s:-0}))
}

step() {
  xa_say "$1"
}

# One build with its tests.
suite() {
  local name=$1 folder=$2
  shift 2
  step "$name: building into $folder/"
  if ! xa_build "$folder" -DXA_WERROR=ON "$@"; then
    failed=$((failed + 1))
    return
  fi
  step "$name: tests"
  ctest --test-dir "$folder" --output-on-failure -j 2 >"$folder/tests.log" 2>&1
  grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed|^ *Start ' "$folder/tests.log" | tail -n 60
  grep -h 'XA_SKIPPED' "$folder"/Testing/Temporary/LastTest.log 2>/dev/null | sort -u
  count "$folder/tests.log"
}

# shellcheck disable=SC2086
xa_packages $XA_PACKAGES $XA_TEST_PACKAGES || exit 1

suite "release" build-test -DCMAKE_BUILD_TYPE=Release
suite "sanitized" build-asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DXA_SANITIZE=address,undefined

# A few seconds for each fuzz target; longer runs are described in tests/fuzz/README.md.
step "fuzzing"
clang_packages="clang"
apt-cache show libclang-rt-14-dev >/dev/null 2>&1 && clang_packages="clang libclang-rt-14-dev"
# shellcheck disable=SC2086
xa_packages $clang_packages || true
if echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n == 9; }' |
  clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null; then
  if xa_build build-fuzz -DXA_WERROR=ON -DXA_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS=-O1 && tests/fuzz/run.sh build-fuzz "$([ -n "$full" ] && echo 60 || echo 3)"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
else
  echo "XA_SKIPPED fuzzing: no clang with libFuzzer here (Debian: clang libclang-rt-14-dev)" >&2
  skipped=$((skipped + 1))
fi

if [ -n "$full" ]; then
  step "Valgrind"
  xa_packages valgrind || true
  XA_MPIRUN="mpirun --oversubscribe --bind-to none" bash tests/app/valgrind.sh "$XA_ROOT/build-test/xaudit" "$XA_ROOT"
  case $? in
  0) passed=$((passed + 1)) ;;
  77) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac

  step "NEON under qemu"
  xa_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user || true
  tests/nn/aarch64.sh
  case $? in
  0) passed=$((passed + 1)) ;;
  77) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac

  step "clang-tidy 14 (settings in .clang-tidy)"
  xa_packages clang-tidy || true
  if command -v run-clang-tidy-14 >/dev/null 2>&1; then
    run-clang-tidy-14 -p build-test -j 2 -quiet '/src/.*\.c$' >build-test/tidy.log 2>/dev/null
    if grep -E 'warning:|error:' build-test/tidy.log; then
      failed=$((failed + 1))
    else
      passed=$((passed + 1))
    fi
  else
    echo "XA_SKIPPED clang-tidy: no run-clang-tidy-14 here" >&2
    skipped=$((skipped + 1))
  fi
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

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
