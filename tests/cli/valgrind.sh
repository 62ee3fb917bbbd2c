#!/usr/bin/env bash
# A run, its resumption, an evaluation and the readers under Valgrind's memcheck, two ranks where there are any. What the
# libraries do while MPI starts and ends is suppressed with reasons (.ci/suppressions/valgrind.supp); anything else, and any
# block that xaudit loses, fails. Some minutes.
#
#   valgrind.sh XAUDIT PROJECT
#
# Exit code 77: skipped, the reason is printed.
. "$2/tests/cli/lib.sh"
command -v valgrind >/dev/null || { echo "XA_SKIPPED valgrind: not installed (Debian: valgrind)"; exit 77; }
# Valgrind knows neither AVX-512 nor some OpenBLAS kernels of new processors.
export OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
check="valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
  --suppressions=$PROJECT/.ci/suppressions/valgrind.supp --num-callers=30 --log-file=$WORK/vg.%p"
head -n 5 <(demo_manifest 4) >manifest.csv
demo_job | sed 's/^metrics:.*/metrics: [pointing_game, energy, roc_auc, { kind: box_acc, profile: wsol }]/' >job.yaml
under() { # WANTED RANKS ARGUMENTS OF XAUDIT..
  local want=$1 n=$2 code
  shift 2
  # shellcheck disable=SC2086
  ranks "$n" $check "$XAUDIT" "$@" >out 2>err </dev/null
  code=$?
  checks=$((checks + 2))
  if grep -hq . "$WORK"/vg.*; then
    cat "$WORK"/vg.* | head -n "${XA_LINES:-120}" >&2
    fail "Valgrind reports on: xaudit $*"
  fi
  [ $code = "$want" ] || fail "exit code $code, expected $want: xaudit $*"
  rm -f "$WORK"/vg.*
}
under 0 2 run job.yaml --output a.h5 --quiet
under 0 2 run job.yaml --output a.h5 --quiet
under 0 2 evaluate a.h5 --quiet
under 0 1 verify a.eval.h5
under 0 1 summary a.eval.h5 --compare
under 0 1 info a.h5
under 0 1 check job.yaml
under 2 2 run job.yaml --output a.h5 --set input=nonsense --quiet
finish
