#!/usr/bin/env bash
# The sbatch scripts on a real SLURM of two nodes: the archive equals that of one process, whatever happens
# on the way: two nodes, mpirun instead of srun, an array, a requeue before the time limit, scancel, a node
# that disappears.
#
#   slurm.sh XAUDIT PROJECT
#
# Exit code 77: skipped, the reason is printed.
. "$2/tests/cli/lib.sh"
. "$PROJECT/tests/slurm/cluster.sh"
export OMPI_MCA_rmaps_base_oversubscribe=1

trap 'cluster_stop; rm -rf "$WORK"' EXIT
cluster_start "$WORK/cluster" || exit 77

# Scripts and program as a user has them: the submit folder holds slurm/.
ln -s "$PROJECT/slurm" slurm
export XAUDIT
demo_manifest 42 >manifest.csv
demo_job >job.yaml
{
  head -n 1 manifest.csv
  for i in $(seq 30); do sed -n '2,$p' manifest.csv | sed "s#^\([^,]*\),\([^,]*\),#\1,\2/$i,#"; done
} >long.csv
sed 's/manifest.csv/long.csv/' job.yaml >long.yaml
expect 0 "$XAUDIT" run job.yaml --output one.h5 --quiet
digest one.h5 >one.txt
expect 0 "$XAUDIT" run long.yaml --output long-one.h5 --quiet
digest long-one.h5 >long-one.txt

equal() {
  digest "$1" >"$1.txt"
  checks=$((checks + 1))
  cmp -s "$1.txt" "$2" || fail "$1 differs from the run of one process: $(diff "$1.txt" "$2" | head -n 3)"
}

state_of() { scontrol show job "$1" 2>/dev/null | sed -n 's/^ *JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }

# await JOB STATE [SECONDS]
await() {
  local i
  for ((i = 0; i < ${3:-60} * 5; i++)); do
    [ "$(state_of "$1")" = "$2" ] && return 0
    sleep 0.2
  done
  cp "xaudit-$1.log" out 2>/dev/null
  scontrol show job "$1" >err 2>&1
  fail "job $1 is $(state_of "$1"), expected $2"
}

pending() { "$XAUDIT" info "$1" 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p'; }

# Waits until an archive of the long job is under way.
under_way() {
  local i left
  for ((i = 0; i < 300; i++)); do
    left=$(pending "$1")
    [ -n "$left" ] && [ "$left" -lt 1260 ] && [ "$left" -gt 0 ] && return 0
    sleep 0.1
  done
  fail "$1: no run under way (${left:-no archive} pending)"
}

submit() { sbatch --parsable --mem-per-cpu=100 --nodes=2 --ntasks=4 "$@"; }

# 1. Two nodes, srun with PMIx.
job=$(submit slurm/xaudit.sbatch job.yaml --output two.h5) || fail "sbatch"
await "$job" COMPLETED
equal two.h5 one.txt
grep -q '"ready to run"\|ready to run' "xaudit-$job.log" || fail "the log does not show the check"
grep -q '42 of 42 images' "xaudit-$job.log" || fail "the log does not show progress"

# 1b. The script that `check --slurm` writes.
"$XAUDIT" check job.yaml --slurm --ranks 2 >fit.sbatch 2>/dev/null || fail "check --slurm"
job=$(sbatch --parsable --mem-per-cpu=100 fit.sbatch) || fail "sbatch"
await "$job" COMPLETED
equal out.h5 one.txt
rm out.h5

# 2. The same through mpirun.
job=$(XAUDIT_LAUNCH=mpirun submit slurm/xaudit.sbatch job.yaml --output mpirun.h5) || fail "sbatch"
await "$job" COMPLETED
equal mpirun.h5 one.txt

# 3. An array over jobs, one of which cannot run.
sed 's/out.h5/array0.h5/' job.yaml >a.yaml
sed 's/out.h5/array1.h5/; s/scale: tf/scale: fft/' job.yaml >b.yaml
job=$(sbatch --parsable --mem-per-cpu=100 --ntasks=2 --array=0-1 slurm/xaudit-array.sbatch a.yaml b.yaml) || fail "sbatch"
await "${job}_0" COMPLETED
await "${job}_1" FAILED
equal array0.h5 one.txt
grep -q 'b.yaml' "xaudit-$job-1.log" && grep -q 'fft' "xaudit-$job-1.log" || fail "the log does not name the mistake"

# 3b. One manifest in slices, an array task each, then merged, scored and told by jobs that wait for one
# another; one image is missing, so the run's tasks end with 3.
{ cat manifest.csv; echo "$WORK/missing.jpg,missing,dolphin,dolphin,box,1,1,9,9,,,,,,"; } >failing.csv
sed 's/manifest.csv/failing.csv/' job.yaml >failing.yaml
expect 3 "$XAUDIT" run failing.yaml --output failing-one.h5 --quiet
digest failing-one.h5 >failing-one.txt
ids=$(XAUDIT_SCORE_OPTIONS=--mem-per-cpu=100 slurm/xaudit-chain.sh --slices 3 failing.yaml chain.h5 --mem-per-cpu=100 --ntasks=2) || fail "chain"
run=${ids#run } run=${run%%,*}
score=${ids#*score } score=${score%%,*}
report=${ids#*report }
await "${run}_1" COMPLETED
await "${run}_3" FAILED # exit 3: an image failed
await "$score" COMPLETED
await "$report" COMPLETED
equal chain.h5 failing-one.txt
grep -q 'not better than the same maps shuffled' chain.summary.txt || grep -q 'shuffled (baseline)' chain.summary.txt || fail "no baselines in the summary"
[ -s chain.summary.tex ] && [ -s chain.summary.csv ] && [ -s chain.methods.txt ] && [ -s chain.html ] || fail "the report's files"
# a slice that is not there stops the chain with its reason
rm chain.h5 chain.2-of-3.h5 chain.eval.h5
job=$(sbatch --parsable --mem-per-cpu=100 slurm/xaudit-score.sbatch 3 chain.h5)
await "$job" FAILED
grep -q 'chain.2-of-3.h5' "xaudit-$job.log" || fail "the log does not name the missing slice"

# 4. The signal that announces the time limit: a clean stop, back into the queue, and on from there.
job=$(submit slurm/xaudit-requeue.sbatch long.yaml --output requeue.h5) || fail "sbatch"
under_way requeue.h5
scancel --batch --signal=USR1 "$job"
await "$job" PENDING
left=$(pending requeue.h5)
[ "$left" -gt 0 ] && [ "$left" -lt 1260 ] || fail "$left of 1260 pending after the stop"
[ ! -e requeue.h5.lock ] || fail "the lock was left"
grep -q 'back into the queue' "xaudit-$job.log" || fail "the log does not tell of the requeue"
scontrol update JobId="$job" StartTime=now
await "$job" COMPLETED 90
equal requeue.h5 long-one.txt
[ "$(grep -c '^== .* start [01] on' "xaudit-$job.log")" = 2 ] || fail "the log of the first start is gone"

# 5. scancel, then the same command again.
job=$(submit slurm/xaudit.sbatch long.yaml --output cancel.h5) || fail "sbatch"
under_way cancel.h5
scancel "$job"
await "$job" CANCELLED
for ((i = 0; i < 600; i++)); do # ranks may outlive the job's state by a moment
  pgrep -f "run .*--output cancel.h5" >/dev/null || break
  sleep 0.1
done
left=$(pending cancel.h5)
[ "$left" -gt 0 ] && [ "$left" -lt 1260 ] || fail "$left of 1260 pending after scancel"
job=$(submit slurm/xaudit.sbatch long.yaml --output cancel.h5) || fail "sbatch"
await "$job" COMPLETED 90
equal cancel.h5 long-one.txt

# 6. A node disappears: its daemon and its ranks are killed. The job ends; another resumes.
job=$(sbatch --no-requeue --parsable --mem-per-cpu=100 --nodes=2 --ntasks=4 slurm/xaudit.sbatch long.yaml --output node.h5)
under_way node.h5
ip netns pids "$(cluster_node 2)" | xargs -r kill -9
for ((i = 0; i < 300; i++)); do
  case $(state_of "$job") in RUNNING | COMPLETING | PENDING) sleep 0.2 ;; *) break ;; esac
done
case $(state_of "$job") in
FAILED | NODE_FAIL | CANCELLED) checks=$((checks + 1)) ;;
*) fail "job $job is $(state_of "$job") after its node died" ;;
esac
cluster_daemon 2
scontrol update NodeName="$(cluster_node 2)" State=resume 2>/dev/null
cluster_idle 2 || fail "the node does not come back"
job=$(submit slurm/xaudit.sbatch long.yaml --output node.h5) || fail "sbatch"
await "$job" COMPLETED 90
equal node.h5 long-one.txt
finish
