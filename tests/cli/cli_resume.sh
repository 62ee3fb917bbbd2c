#!/usr/bin/env bash
# Interrupted and killed runs are resumed where they stopped, and end with the same bytes.
. "$(dirname "$0")/lib.sh"

cp "$PROJECT/jobs/demo/manifest.csv" manifest.csv
sed -i "s#images/#$PROJECT/jobs/demo/images/#; s#masks/#$PROJECT/jobs/demo/masks/#" manifest.csv
demo_job >job.yaml
expect 0 ranks 2 "$XAUDIT" run job.yaml --output whole.h5 --quiet
digest whole.h5 >whole.txt

# The same bytes however ranks are put on nodes: alone, 2 + 2, 4 of one, 3 + 3 + 2.
for form in 1:1 4:2 4:1 8:3; do
  rm -f nodes.h5
  expect 0 env XAUDIT_NODE_RANKS=${form#*:} $MPIRUN -n ${form%:*} "$XAUDIT" run job.yaml --output nodes.h5 --quiet
  digest nodes.h5 | cmp - whole.txt || fail "other bytes with ranks:ranks of a node $form"
done
expect 2 env XAUDIT_NODE_RANKS=0 "$XAUDIT" run job.yaml --output nodes.h5
said 'XAUDIT_NODE_RANKS=0: expected a number from 1'

pending() {
  "$XAUDIT" info "$1" 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p'
}

# SIGTERM: exit 75, and what is done is kept. One rank gets the signal; images are repeated so that the run lasts.
{
  head -n 1 manifest.csv
  for i in $(seq 40); do sed -n '2,$p' manifest.csv | sed "s#^\([^,]*\),\([^,]*\),#\1,\2/$i,#"; done
} >long.csv
sed 's/manifest.csv/long.csv/' job.yaml >long.yaml
"$XAUDIT" run long.yaml --output stop.h5 --quiet >out 2>err &
pid=$!
for i in $(seq 600); do
  left=$(pending stop.h5)
  [ -n "$left" ] && [ "$left" -lt 1680 ] && break
  kill -0 $pid 2>/dev/null || break
  sleep 0.1
done
kill -TERM $pid
wait $pid
code=$?
[ $code = 75 ] || fail "exit code $code after SIGTERM, expected 75"
left=$(pending stop.h5)
[ "$left" -gt 0 ] && [ "$left" -lt 1680 ] || fail "$left of 1680 pending after the stop"
[ ! -e stop.h5.lock ] || fail "the lock was left"
expect 0 "$XAUDIT" verify stop.h5
said 'whole so far, and some samples are still to be computed'

# SIGKILL of all ranks at several moments; then the run is finished with another number of ranks.
for after in 0.8 1.1 1.5; do
  setsid $MPIRUN -n 2 "$XAUDIT" run job.yaml --output kill.h5 --quiet >out 2>err &
  pid=$!
  sleep $after
  kill -KILL -- -$pid 2>/dev/null
  session_ended $pid "mpirun was killed after $after s"
  if [ -e kill.h5 ]; then
    expect 0 "$XAUDIT" info kill.h5
    expect 0 "$XAUDIT" verify kill.h5
  fi
done
expect 0 ranks 3 "$XAUDIT" run job.yaml --output kill.h5 --quiet
digest kill.h5 | cmp - whole.txt || fail "other bytes after kills"
# sessions, including killed ones: libraries, processors, and the core hours of all ranks
expect 0 "$XAUDIT" info kill.h5
said 'HDF5 [0-9.]+, lib.*, libpng [0-9.]+, libtiff [0-9.]+, .* \([0-9]+ ranks?\)$'
said '^  core hours +[0-9.e-]+ \(ranks x wall time of [0-9]+ sessions?\)$'
expect 0 "$XAUDIT" info --methods kill.h5
said '^It took [0-9.e-]+ core hours in [0-9]+ sessions? \(.*HDF5'
expect_python <<'PY'
import h5py
with h5py.File("kill.h5") as f:
    s = f["run/sessions"]
    n = s["count"][0]
    hours = sum(s["ranks"][i] * s["seconds"][i] for i in range(n)) / 3600
    assert all(0 < s["seconds"][i] < 1000 for i in range(n)), s["seconds"][:n]
open("hours", "w").write(f"{hours:.4g}")
PY
expect 0 "$XAUDIT" info kill.h5
said "^  core hours +$(cat hours) "
expect 0 "$XAUDIT" verify kill.h5
said 'complete and whole'

# A second run on an archive in use is refused at once.
"$XAUDIT" run long.yaml --output busy.h5 --quiet >/dev/null 2>&1 &
pid=$!
while [ ! -e busy.h5 ] && kill -0 $pid 2>/dev/null; do sleep 0.1; done
expect 2 "$XAUDIT" run long.yaml --output busy.h5
said 'busy.h5'
kill -TERM $pid
wait $pid
[ $? = 75 ] || fail "the first run was disturbed"
finish
