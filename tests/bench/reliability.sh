#!/usr/bin/env bash
# Faults, many ranks and long runs, each tried as often as it says; writes results/reliability.md. About three quarters of an hour.
#   tests/bench/reliability.sh
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
build=${XA_RELIABILITY_BUILD:-build}
xa_build "$build"
xaudit=$XA_ROOT/$build/xaudit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
cli() { XA_FAULT_LOG=$work/$1.log bash "tests/cli/cli_$1.sh" "$xaudit" "$XA_ROOT" >"$work/$1.out" 2>&1 || { cat "$work/$1.out" >&2; exit 1; }; }

xa_say "kills: named points twice each, then 100 at random"
XA_FULL=1 XA_SEED=1 cli kill
xa_say "disks"
cli disk
xa_say "loss of power at every named point"
XA_FULL=1 cli power
cli late_rename
xa_say "Valgrind"
valgrind=$(bash tests/cli/valgrind.sh "$xaudit" "$XA_ROOT" 2>&1 | tail -n 1) || true
xa_say "two nodes through mpirun"
nodes=$(bash tests/slurm/two_nodes.sh "$xaudit" "$XA_ROOT" 2>&1 | tail -n 1) || true
xa_say "a two-node SLURM"
slurm=$(bash tests/slurm/slurm.sh "$xaudit" "$XA_ROOT" 2>&1 | tail -n 1) || true

xa_say "1, 8 and 64 ranks"
cd "$work"
sed "s#images/#$XA_ROOT/jobs/demo/images/#; s#masks/#$XA_ROOT/jobs/demo/masks/#" "$XA_ROOT/jobs/demo/manifest.csv" >manifest.csv
cat >job.yaml <<YAML
manifest: manifest.csv
classes: $XA_ROOT/jobs/demo/classes.txt
output: out.h5
models:
  - name: xception
    file: $XA_ROOT/jobs/demo/xception.h5
    input: { size: [128, 128], resize: pil-bilinear, scale: tf }
    explainers:
      - { kind: saliency, score: logit, target: predicted }
      - { kind: gradcam, layer: auto, score: prob, target: label }
metrics: [pointing_game]
YAML
for n in 1 8 64; do
  mpirun --oversubscribe --bind-to none -n $n "$xaudit" run job.yaml --output ranks$n.h5 --quiet
  echo "| $n | $("$xaudit" info --digest ranks$n.h5 | grep ' /' | grep -v ' /run/' | sort | sha256sum | cut -c 1-64) |" >>ranks.md
done

xa_say "10,000 images on two ranks"
awk -F, -v OFS=, 'NR == 1 {print; next} {l[NR] = $0; id[NR] = $2}
  END {for (k = 0; k < 239; k++) for (i = 2; i <= NR; i++) {$0 = l[i]; $2 = id[i] "-" k; print}}' manifest.csv >many.csv
sed 's/manifest.csv/many.csv/' job.yaml >many.yaml
mpirun --bind-to none -n 2 "$xaudit" run many.yaml --output many.h5 --quiet &
pid=$!
total=$(cut -d, -f2 many.csv | tail -n +2 | sort -u | wc -l)
for at in 10 30 50 70 90; do
  while :; do
    left=$("$xaudit" info many.h5 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p') || left=
    [ -n "$left" ] && [ $((100 * (total - left))) -ge $((at * total)) ] && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.5
  done
  pgrep -f "^$xaudit run many.yaml" | while read -r p; do sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$p/status"; done |
    sort -n | awk -v at="$at" '{r[NR] = $1} END {printf "| %d %% |", at; for (i = 1; i <= 2; i++) printf " %.1f MB |", r[i] / 1024; print ""}' >>memory.md
done
wait $pid
"$xaudit" verify many.h5 >verify.txt

{
  echo "# Reliability"
  echo
  echo "Each fault, how often it was tried, what happened. Made by \`tests/bench/reliability.sh\` on $(uname -sm), Open MPI"
  echo "$(mpirun --version | sed -n 's/.*Open MPI) //p'), HDF5 $(dpkg-query -W -f '${Version}' libhdf5-openmpi-103-1 2>/dev/null | cut -d+ -f1), $(nproc) cores. After every fault \`xaudit verify\` checked every done row"
  echo "beside its checksum, and the archive was resumed until it was whole: it then had the bytes of an undisturbed run."
  echo
  echo "| fault | times | what happened |"
  echo "| --- | --- | --- |"
  sed -n 's/^\(at [a-z]* on rank [01]\)\(, the second time\)* |.*/\1/p' kill.log | sort | uniq -c |
    awk '{n = $1; $1 = ""; print "| SIGKILL" $0 " | " n " | no damage; resumed, equal |"}'
  for what in "all of" "one of"; do
    echo "| SIGKILL of $what the ranks (1 to 3), 0.1 to 1.3 s after the start | $(grep -c "^$what" kill.log) | no damage; the other ranks end; resumed, equal |"
  done
  sed 's/ | .*//' power.log | sort | uniq -c |
    awk '{n = $1; $1 = ""; print "|" $0 " (ext4 shut down without its journal, two ranks) | " n " | the run ends by itself; no damage; settled rows still there; resumed, equal |"}'
  echo "| new archive visible late, or never, on the other host | 1 | waits for it; exit 1, named |"
  echo "| two nodes through mpirun without SLURM, one of them lost | 1 | ${nodes} |"
  echo "| Valgrind memcheck: run, resumption, evaluate on two ranks, verify, summary, info, check, a refused job | 1 | ${valgrind} |"
  echo "| SIGINT, SIGUSR1, SIGTERM of a run | 3 | exit 75, the lock released, the batches in progress kept |"
  sed 's/^\(.*\) | \(.*\)$/| \1 | 1 | \2 |/' disk.log
  echo "| two-node SLURM: srun, mpirun, array, slices and merge, chain, requeue before the limit, scancel, a node that disappears | 1 | ${slurm} |"
  echo
  echo "\`tests/cli/cli_kill.sh\` (\`XA_FULL=1\`, \`XA_SEED=1\`), \`cli_power.sh\`, \`cli_late_rename.sh\`, \`cli_disk.sh\`, \`cli_resume.sh\`,"
  echo "\`tests/slurm/slurm.sh\`, \`tests/slurm/two_nodes.sh\` and \`tests/cli/valgrind.sh\` are the commands."
  echo
  echo "## Ranks"
  echo
  echo "SHA-256 over the digests of all datasets but /run of the demo's Xception job, ranks oversubscribed:"
  echo
  echo "| ranks | |"
  echo "| --- | --- |"
  cat ranks.md
  echo
  echo "## Memory over a long run"
  echo
  echo "Resident size of the two ranks while $total images go through ($(cat verify.txt))."
  echo "What grows is the part of the archive's pages and of rank 0's manifest that has been touched."
  echo
  echo "| done | smaller | larger |"
  echo "| --- | --- | --- |"
  cat memory.md
} >"$XA_ROOT/results/reliability.md"
cat "$XA_ROOT/results/reliability.md"
