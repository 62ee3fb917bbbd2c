#!/usr/bin/env bash
# What each further rank of a node costs: proportional set size of 1, 2 and 4 ranks at work, sampled every 0.2 s.
# Writes results/memory.md. Needs a built build/xaudit.
#   tests/bench/memory.sh JOB.yaml      a job with a few images a rank, such as Xception at 512x512
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
xaudit=${XAUDIT:-$XA_ROOT/build/xaudit}
job=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

/usr/bin/env python3 - "$xaudit" "$job" "$work" >"$work/table" <<'PY'
import os, subprocess, sys, time

xaudit, job, work = sys.argv[1:]

def ranks():
    """pids of this machine's processes of that program."""
    out = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(xaudit):
                out.append(pid)
        except OSError:
            pass
    return out

def sizes(pid):
    found = {}
    for line in open(f"/proc/{pid}/smaps_rollup"):
        word = line.split()
        if word[0] in ("Rss:", "Pss:", "Private_Dirty:", "Private_Clean:"):
            found[word[0]] = int(word[1]) / 1024
    return found["Pss:"], found["Private_Dirty:"] + found["Private_Clean:"], found["Rss:"]

print("| ranks | all ranks together (PSS) | a further rank | private, largest rank | resident, largest rank |")
print("| --- | --- | --- | --- | --- |")
first = None
for n in (1, 2, 4):
    archive = f"{work}/{n}.h5"
    run = subprocess.Popen(["mpirun", "--bind-to", "none", "--oversubscribe", "-n", str(n), xaudit, "run", job, "--output", archive, "--quiet"])
    together = private = resident = 0.0
    while run.poll() is None:
        now = []
        for pid in ranks():
            try:
                now.append(sizes(pid))
            except (OSError, KeyError):
                pass
        if len(now) == n:
            together = max(together, sum(s[0] for s in now))
            private = max(private, max(s[1] for s in now))
            resident = max(resident, max(s[2] for s in now))
        time.sleep(0.2)
    if run.returncode not in (0, 3):
        sys.exit(f"{n} ranks: exit code {run.returncode}")
    further = "" if first is None else f"{(together - first) / (n - 1):.0f} MB"
    first = together if first is None else first
    print(f"| {n} | {together:.0f} MB | {further} | {private:.0f} MB | {resident:.0f} MB |")
PY
{
  echo "# Memory of the ranks of one node"
  echo
  echo "$(basename "$job"); weights are packed once into node-shared memory. Made by"
  echo
  echo "    tests/bench/memory.sh JOB.yaml"
  echo
  cat "$work/table"
} >"$XA_ROOT/results/memory.md"
cat "$XA_ROOT/results/memory.md"
