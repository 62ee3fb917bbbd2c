#!/usr/bin/env bash
# Kills the ranks of runs on one archive: at every named point (src/run/fault.h) on rank 0 and on another, and at random moments,
# one rank or all. After each kill the archive opens and its done rows are undamaged; in the end it has the bytes of an
# undisturbed run. There are 5 random kills, or 100 with XA_FULL=1. XA_SEED repeats a sequence. XA_FAULT_LOG=FILE gets one line
# per kill.
. "$(dirname "$0")/lib.sh"
RANDOM=${XA_SEED:-$$}
echo "seed ${XA_SEED:-$$}"
log=${XA_FAULT_LOG:-/dev/null}

demo_manifest 24 >manifest.csv
demo_job 64 >job.yaml
expect 0 "$XAUDIT" run job.yaml --output whole.h5 --quiet
digest whole.h5 >whole.txt

# A run may not hang: two minutes are far more than it takes.
run() {
  local begin=$SECONDS code
  timeout -k 5 120 $MPIRUN -n "$1" "$XAUDIT" run job.yaml --output kill.h5 --quiet >out 2>err
  code=$?
  [ $((SECONDS - begin)) -lt 115 ] || fail "a run hangs"
  return $code
}

# look WHAT: checks the archive after a kill
look() {
  checks=$((checks + 1))
  if [ -e kill.h5 ]; then
    "$XAUDIT" verify kill.h5 >out 2>err || fail "damage after $1"
    left=$("$XAUDIT" info kill.h5 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p')
  else
    left=24
  fi
  ls kill.h5.tmp-* >/dev/null 2>&1 && temporary=$((temporary + 1))
  echo "$1 | ${left:-24} of 24 pending" >>"$log"
}
complete() {
  run "$1" || fail "the last run ends with $?"
  digest kill.h5 | cmp -s - whole.txt || fail "other bytes after $2"
  expect 0 "$XAUDIT" verify kill.h5
  said 'complete and whole'
}
temporary=0

# 1. Every point on rank 0 and on rank 1, twice with XA_FULL=1. Then the run is finished with another number of ranks.
for point in setup created opened session computed staged full columns synced mark marked settled end; do
  for rank in 0 1; do
    unset XAUDIT_NODE_RANKS
    case $rank:$point in
      1:mark | 1:marked | 1:settled) continue ;;                        # only rank 0 does
      1:full | 1:columns | 1:synced) export XAUDIT_NODE_RANKS=1 ;; # only leaders do: rank 1 is one
    esac
    rm -f kill.h5*
    XAUDIT_FAULT=$point@$rank run 2
    code=$?
    [ $code != 0 ] || fail "killed at $point on rank $rank, and exit code $code"
    look "at $point on rank $rank"
    if [ "${XA_FULL:-0}" = 1 ]; then
      XAUDIT_FAULT=$point:2@$rank run 2 # resumes, and dies again if the point comes twice
      look "at $point on rank $rank, the second time"
    elif [ $rank = 0 ] && [ $point != marked ]; then
      continue
    fi
    complete 3 "kills at $point on rank $rank"
  done
done
unset XAUDIT_NODE_RANKS
complete 2 "the last point"

# 2. Random moments.
kills=5
[ "${XA_FULL:-0}" = 1 ] && kills=100
rm -f kill.h5*
killed=0
for ((i = 0; i < kills; i++)); do
  n=$((1 + RANDOM % 3))
  setsid $MPIRUN -n $n "$XAUDIT" run job.yaml --output kill.h5 --quiet >out 2>err &
  pid=$!
  after=$((100 + RANDOM % 1200))
  sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
  if [ $((RANDOM % 2)) = 0 ]; then
    kill -KILL -- -$pid 2>/dev/null
    what="all of $n ranks"
  else # one of the ranks; mpirun ends the others
    victim=$(pgrep -s $pid -f "^$XAUDIT run" | shuf -n 1 --random-source=<(yes $RANDOM))
    [ -n "$victim" ] && kill -KILL "$victim"
    what="one of $n ranks"
  fi
  session_ended $pid "$what killed after $after ms"
  killed=$((killed + 1))
  look "$what after $after ms"
  if [ "${left:-24}" = 0 ]; then # nothing is left to disturb
    complete 2 "$killed kills"
    rm -f kill.h5
  fi
done
complete 2 "$killed kills"
echo "$killed random kills; $temporary times a temporary file was left for the next run to remove"
ls kill.h5.tmp-* >/dev/null 2>&1 && fail "temporary files are left for good"

# 3. After SIGTERM or SIGINT the ranks finish their batches: exit 75, and nothing is lost.
{
  head -n 1 manifest.csv
  for i in $(seq 40); do sed -n '2,$p' manifest.csv | sed "s#^\([^,]*\),\([^,]*\),#\1,\2/$i,#"; done
} >long.csv
sed 's/manifest.csv/long.csv/' job.yaml >long.yaml
for signal in INT USR1; do
  rm -f stop.h5*
  # a background job of a script ignores SIGINT, which is inherited: a subshell takes that back
  /usr/bin/python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$XAUDIT" run long.yaml --output stop.h5 --quiet >out 2>err &
  pid=$!
  for ((t = 0; t < 600; t++)); do
    left=$("$XAUDIT" info stop.h5 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p')
    [ -n "$left" ] && [ "$left" -lt 960 ] && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
  done
  kill -$signal $pid
  wait $pid
  code=$?
  checks=$((checks + 1))
  [ $code = 75 ] || fail "exit code $code after SIG$signal, expected 75"
  expect 0 "$XAUDIT" verify stop.h5
  said 'still to be computed'
  [ ! -e stop.h5.lock ] || fail "SIG$signal left the lock"
done
expect 2 env XAUDIT_FAULT=nonsense:x "$XAUDIT" run job.yaml --output x.h5
finish
