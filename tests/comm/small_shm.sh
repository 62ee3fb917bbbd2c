#!/bin/bash
# A container's /dev/shm: too small for the weights. Runs the tests of shared memory where it has
# 32 MiB; they must fall back to private memory, not hang and not die of SIGBUS.
#
#   small_shm.sh MPIEXEC TESTS_FOLDER
#
# Exit code 77: skipped, the reason is printed. Needs root.
set -eu
mpiexec=$1
tests=$2

skip()
{
    echo "SKIPPED small_shm: $1"
    exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root to mount a small /dev/shm in a namespace"
unshare -m sh -c 'mount -t tmpfs -o size=32m tmpfs /dev/shm' 2>/dev/null ||
    skip "cannot mount in a namespace"
exec unshare -m sh -c 'mount -t tmpfs -o size=32m tmpfs /dev/shm && exec "$@"' sh \
    timeout 120 "$mpiexec" --bind-to none --oversubscribe -n 2 "$tests/comm/test_shared_2"
