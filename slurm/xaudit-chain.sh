#!/bin/bash
# Submits three jobs, each of which begins when the one before has ended: run; merge and score; report.
#
#   slurm/xaudit-chain.sh [--slices N] JOB.yaml OUTPUT.h5 [options of sbatch for the run]
#
# With --slices the run is an array of N tasks. Prints the three job numbers. If the run is incomplete, the chain
# stops and says what to submit again; failed samples do not stop it.
set -eu
slices=1
[ "${1:-}" = --slices ] && { slices=$2; shift 2; }
[ $# -ge 2 ] || { sed -n '4p' "$0" | sed 's/^# */usage: /' >&2; exit 2; }
job=$1 output=$2
shift 2
if [ "$slices" -gt 1 ]; then
  run=$(sbatch --parsable --array="1-$slices" "$@" slurm/xaudit-slices.sbatch "$slices" "$job" "$output")
else
  run=$(sbatch --parsable "$@" slurm/xaudit.sbatch "$job" --output "$output")
fi
run=${run%%;*}
score=$(sbatch --parsable ${XAUDIT_SCORE_OPTIONS:-} --dependency="afterany:$run" slurm/xaudit-score.sbatch "$slices" "$output")
score=${score%%;*}
report=$(sbatch --parsable ${XAUDIT_SCORE_OPTIONS:-} --ntasks=1 --dependency="afterok:$score" slurm/xaudit-report.sbatch "$output")
echo "run $run, score $score, report ${report%%;*}"
