#!/bin/bash
# Two "machines" on one: two network and UTS namespaces joined by a bridge, MPI over real TCP between
# them, node-shared memory in each. Runs the tests of comm and sched with 2 + 2 ranks.
#
#   two_nodes.sh MPIEXEC TESTS_FOLDER
#
# Exit code 77: skipped, the reason is printed. Needs root and ip(8).
set -eu
mpiexec=$1
tests=$2

skip()
{
    echo "SKIPPED two_nodes: $1"
    exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root to make network namespaces"
for tool in ip unshare hostname; do
    command -v $tool >/dev/null || skip "needs $tool"
done

work=$(mktemp -d)
id=$$
bridge=xab$id
subnet=10.$((64 + id % 64)).$((id / 64 % 256))
node()
{
    echo "xan$1-$id"
}
clean()
{
    for i in 1 2; do
        ip netns del "$(node $i)" 2>/dev/null || true
    done
    ip link del "$bridge" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT

ip link add "$bridge" type bridge 2>"$work/why" || skip "cannot add a bridge: $(cat "$work/why")"
ip link set "$bridge" up
for i in 1 2; do
    n=$(node $i)
    ip netns add "$n" 2>"$work/why" || skip "cannot add a namespace: $(cat "$work/why")"
    ip link add "xav$i-$id" type veth peer name eth0 netns "$n"
    ip link set "xav$i-$id" master "$bridge" up
    ip -n "$n" addr add "$subnet.$i/24" dev eth0
    ip -n "$n" link set eth0 up
    ip -n "$n" link set lo up
done
unshare -u true 2>/dev/null || skip "cannot make UTS namespaces"

# Stands in for ssh: mpiexec calls it with options, a host and a command.
cat >"$work/agent" <<AGENT
#!/bin/sh
while [ "\${1#-}" != "\$1" ]; do shift; done
host=\$1
shift
name=xan\${host##*.}-$id
exec ip netns exec "\$name" unshare -u sh -c "hostname \$name; exec sh -c '\$*'"
AGENT
chmod +x "$work/agent"
mkdir "$work/tmp"
export TMPDIR="$work/tmp" XA_TEST_NODES=2

failed=0
for program in comm/test_comm_4 comm/test_message_4 comm/test_shared_4 sched/test_sched_4 \
    sched/test_sched_end_4; do
    echo "== $program on 2 + 2 ranks"
    first=$(node 1)
    if ! ip netns exec "$first" unshare -u sh -c "hostname $first; exec \"\$@\"" sh \
        timeout 120 "$mpiexec" --mca plm_rsh_agent "$work/agent" --bind-to none --oversubscribe \
        --host "$subnet.1:2,$subnet.2:2" -n 4 -x XA_TEST_NODES -x LSAN_OPTIONS \
        "$tests/$program"; then
        echo "FAILED $program"
        failed=1
    fi
done
exit $failed
