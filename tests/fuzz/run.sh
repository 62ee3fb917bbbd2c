#!/usr/bin/env bash
# Runs every fuzz target for a while, from the corpora kept here and the golden files.
#   tests/fuzz/run.sh BUILD SECONDS [TARGET..]
# As many at once as there are cores. What is new is kept in BUILD/corpus/TARGET, findings in BUILD/findings. Deterministic
# but for the time.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 seconds=$2
shift 2
failed=0
mkdir -p "$build/findings"
export ASAN_OPTIONS=allocator_may_return_null=1:detect_odr_violation=0 OPENBLAS_NUM_THREADS=1
export LSAN_OPTIONS=suppressions=$here/../../.ci/suppressions/lsan.txt:print_suppressions=0
targets=("$@")
[ $# = 0 ] && for f in "$build"/tests/fuzz/fuzz_*; do [ -x "$f" ] && [ -f "$f" ] && targets+=("${f##*/fuzz_}"); done

# one TARGET: a line of what it did, or the end of its log
one() {
  local t=$1 log=$build/findings/$1.log seeds=()
  mkdir -p "$build/corpus/$t"
  [ -d "$here/corpus/$t" ] && seeds+=("$here/corpus/$t")
  case $t in
  jpeg | png | tiff) seeds+=("$here/../golden/image/files") ;;
  esac
  if nice -n 10 "$build/tests/fuzz/fuzz_$t" -max_total_time="$seconds" -seed=1 -timeout=20 -rss_limit_mb=2048 \
    -malloc_limit_mb=1024 -artifact_prefix="$build/findings/$t-" "$build/corpus/$t" "${seeds[@]}" >"$log" 2>&1; then
    printf '%-22s %s\n' "$t" "$(grep -E '^(Done|#[0-9]+.*DONE)' "$log" | tail -n 1)"
  else
    echo "$t: a finding, see $log" >&2
    tail -n 25 "$log" >&2
    return 1
  fi
}
export -f one
export here build seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}' || failed=1
exit $failed
