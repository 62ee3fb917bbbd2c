#!/usr/bin/env bash
# What a cluster or a shell does to a run: launchers, folders, memory, pipes, closed streams, and counts after a resume.
. "$(dirname "$0")/lib.sh"

demo_manifest 5 >manifest.csv
demo_job | sed 's/\[128, 128\]/[48, 48]/; s/^    input/    batch: 2\n    input/' >job.yaml

# a launcher started several tasks, but each is alone in its MPI world
for launcher in SLURM_STEP_NUM_TASKS=3 PMI_SIZE=3 OMPI_COMM_WORLD_SIZE=3; do
  expect 2 env $launcher "$XAUDIT" run job.yaml
  said 'started 3 tasks, but MPI .* gives this one a world of size 1'
  [ ! -e out.h5 ] && [ ! -e out.h5.lock ] || fail "the archive was touched"
done
expect 2 env SLURM_STEP_NUM_TASKS=3 "$XAUDIT" run job.yaml
said 'srun --mpi=pmix'
expect 2 env SLURM_STEP_NUM_TASKS=3 "$XAUDIT" evaluate none.h5
said 'srun --mpi=pmix'

# what would stop a run at its archive: check finds it
expect 2 "$XAUDIT" check job.yaml --output nowhere/out.h5
said 'output: the folder "nowhere" .*: make it'
expect 2 "$XAUDIT" check job.yaml --output manifest.csv/out.h5
said 'manifest.csv" is a file, and no folder'
if [ "$(id -u)" != 0 ]; then
  mkdir closed && chmod a-w closed
  expect 2 "$XAUDIT" check job.yaml --output closed/out.h5
  said 'no file can be made in "closed"'
fi
# (where executed lines are counted, their counters do not fit, which is no matter of the program)
expect 2 bash -c "[ -z '${GCOV_PREFIX:-}' ] || trap '' XFSZ; ulimit -f 10; '$XAUDIT' check job.yaml"
said 'raise ulimit -f'
touch out.h5-1234-56.lock out.h5.lock.txt
expect 0 "$XAUDIT" check job.yaml
said 'out.h5-1234-56.lock beside it: these lock files of Open MPI'
rm out.h5-1234-56.lock out.h5.lock.txt

# check names the run that holds the archive, and does not disturb it
XAUDIT_FAULT=settled:1@0,stop "$XAUDIT" run job.yaml --quiet --output held.h5 >/dev/null 2>&1 &
holder=$!
for _ in $(seq 300); do
  grep -q '^State:.T' /proc/$holder/status 2>/dev/null && break
  sleep 0.1
done
expect 0 "$XAUDIT" check job.yaml --output held.h5
said "held.h5 is in use by process $holder"
[ -e held.h5.lock ] || fail "the check took the lock away"
kill -KILL $holder
wait $holder 2>/dev/null
expect 0 "$XAUDIT" check job.yaml --output held.h5
not_said 'in use by'
rm held.h5*

# less address space than BLAS needs (sanitizers need more than any limit)
if ! ldd "$XAUDIT" | grep -q libasan; then
  expect 1 bash -c "ulimit -v 120000; exec timeout -s KILL 60 '$XAUDIT' run job.yaml"
  said 'raise ulimit -v'
fi

# progress counts all images, before and after a resume; the reader of the pipe is gone
( XAUDIT_FAULT=settled:1@0 "$XAUDIT" run job.yaml --quiet & wait $! ) >/dev/null 2>&1
expect 0 "$XAUDIT" run job.yaml
said '^xaudit: 5 of 5 images'
before=$(sed -n 's/^xaudit: \([1-4]\) of 5 images were done before, .*/\1/p' err) # as many as the node's first commit held
[ -n "$before" ] || fail "nothing said about what was done before"
said "^out.h5: $((5 - before)) images in .*, resumed"
expect 0 "$XAUDIT" run job.yaml
not_said ' of '"[0-9]*"' images'
said 'nothing left to do'
digest out.h5 >once.txt
for command in 'run job.yaml --fresh --json' 'verify out.h5' 'table out.h5 --csv' 'info out.h5' 'check job.yaml'; do
  # shellcheck disable=SC2086
  "$XAUDIT" $command 2>err | true
  code=${PIPESTATUS[0]}
  [ "$code" = 0 ] || fail "exit $code, expected 0: $command, with nobody reading"
  checks=$((checks + 1))
done
digest out.h5 | cmp - once.txt || fail "another archive when nobody reads"
for command in 'verify out.h5' 'table out.h5' --version 'help run'; do
  # shellcheck disable=SC2086
  "$XAUDIT" $command >/dev/full 2>err
  code=$?
  [ "$code" = 1 ] || fail "exit $code, expected 1: $command, onto a full device"
  grep -q 'standard output cannot be written' err || fail "$command: a full device is not told"
  checks=$((checks + 1))
done
"$XAUDIT" run job.yaml --fresh <&- >&- 2>&- || fail "closed streams"
digest out.h5 | cmp - once.txt || fail "another archive with closed streams"
rm out.h5*

# rank 0 holds the manifest: what check predicts, and what a run of excluded samples takes (sanitizers take more)
awk -v image="$PROJECT/jobs/demo/images/airplanes/image_0005.jpg" 'BEGIN {
  print "path,id,label,class,kind,x0,y0,x1,y1,group,split,exclude"
  for (i = 0; i < 100000; i++) printf "%s,folder/%08d,airplanes,airplanes,box,1,5,11,11,g%d,test,%s\n", image, i, i / 3, i < 2 ? "" : "no"
}' >manifest.csv
cat >peak.py <<'PY'
import os, re, subprocess, sys
xaudit = sys.argv[1]
said = subprocess.run([xaudit, "check", "job.yaml"], capture_output=True, text=True).stdout
number, unit = re.search(r"rank 0 in addition: ([0-9.]+) ([kMG])B", said).groups()
first = float(number) * {"k": 1e3, "M": 1e6, "G": 1e9}[unit]
kid = subprocess.Popen([xaudit, "run", "job.yaml", "--limit", "4", "--output", "four.h5", "--quiet"])
four = os.wait4(kid.pid, 0)[2].ru_maxrss * 1024
kid = subprocess.Popen([xaudit, "run", "job.yaml", "--quiet"])
status, used = os.wait4(kid.pid, 0)[1:]
assert status == 0, status
used = used.ru_maxrss * 1024 - four
print(f"check says {first / 1e6:.1f} MB, the run took {used / 1e6:.1f} MB more than one of four samples")
assert first > 20e6 and used > 10e6
assert used < 1.15 * first + 5e6, "more than check says"
PY
ldd "$XAUDIT" | grep -q libasan || expect_python "$XAUDIT" <peak.py
finish
