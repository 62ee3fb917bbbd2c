#!/usr/bin/env bash
# Two nodes through mpirun without SLURM: two hosts out of namespaces, each with its own network, name and shared memory,
# ranks started by a remote-shell agent. The archive equals that of one process; a node that is lost ends the run, which is
# resumed on the other.
#
#   two_nodes.sh XAUDIT PROJECT
#
# Exit code 77: skipped, the reason is printed.
. "$2/tests/cli/lib.sh"
. "$PROJECT/tests/slurm/cluster.sh"
trap 'cluster_stop; rm -rf "$WORK"' EXIT
mpirun --version 2>/dev/null | grep -q 'Open MPI' || { echo "XA_SKIPPED two_nodes: the remote-shell agent is told to Open MPI's mpirun"; exit 77; }
cluster_nodes "$WORK/cluster" || exit 77
one=$(cluster_node 1) two=$(cluster_node 2)

# The agent: mpirun calls it as `agent HOST COMMAND..`, as it would ssh.
cat >agent <<SH
#!/bin/bash
host=\$1
shift
exec nsenter --net=/run/netns/\$host unshare -u -m sh -c \
  "hostname \$host; mount --bind $WORK/cluster/hosts /etc/hosts; mount -t tmpfs tmpfs /dev/shm; \$*"
SH
chmod +x agent
across() { # RANKS A NODE, COMMAND..
  local n=$1
  shift
  cluster_on 1 timeout 300 mpirun --mca plm_rsh_agent "$WORK/agent" --mca plm_rsh_no_tree_spawn 1 --mca btl_tcp_if_include eth0 \
    --mca oob_tcp_if_include eth0 --oversubscribe --bind-to none --host "$one:$n,$two:$n" -n $((2 * n)) "$@"
}

demo_manifest 42 >manifest.csv
demo_job >job.yaml
expect 0 "$XAUDIT" run job.yaml --output one.h5 --quiet
digest one.h5 >one.txt
expect 0 across 2 "$XAUDIT" run job.yaml --output two.h5 --quiet
digest two.h5 | cmp - one.txt || fail "two nodes give other bytes than one process"
expect 0 "$XAUDIT" info two.h5
said '4 ranks on 2 nodes'
expect 0 across 1 "$XAUDIT" evaluate two.h5 --quiet
expect 0 "$XAUDIT" verify two.eval.h5

# A node is lost while the run goes on.
{
  head -n 1 manifest.csv
  for i in $(seq 30); do sed -n '2,$p' manifest.csv | sed "s#^\([^,]*\),\([^,]*\),#\1,\2/$i,#"; done
} >long.csv
sed 's/manifest.csv/long.csv/' job.yaml >long.yaml
across 1 "$XAUDIT" run long.yaml --output lost.h5 --quiet >out 2>err &
pid=$!
for ((t = 0; t < 600; t++)); do
  left=$("$XAUDIT" info lost.h5 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p')
  [ -n "$left" ] && [ "$left" -lt 1200 ] && break
  sleep 0.1
done
ip netns pids "$two" | xargs -r kill -9
wait $pid
code=$?
checks=$((checks + 1))
[ $code != 0 ] && [ $code != 124 ] || fail "a node was lost, and exit code $code"
expect 0 "$XAUDIT" verify lost.h5
expect 0 cluster_on 1 "$XAUDIT" run long.yaml --output lost.h5 --quiet
said_left=$("$XAUDIT" info lost.h5 | sed -n 's/.* \([0-9]*\) pending$/\1/p')
[ "${said_left:-0}" = 0 ] || fail "not resumed to the end: $said_left pending"
expect 0 "$XAUDIT" verify lost.h5
said 'complete and whole'
finish
