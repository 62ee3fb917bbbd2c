#!/usr/bin/env bash
# On a network file system other hosts may see the rename of a new archive late. Rank 1 has a mount namespace of its own in
# which the folder is empty at first: it must wait for the file, and say what is wrong if the file never appears.
. "$(dirname "$0")/lib.sh"
if ! unshare -m true 2>/dev/null; then
  echo "XA_SKIPPED cli_late_rename: no mount namespaces here"
  finish
  exit 0
fi
export XAUDIT_NODE_RANKS=1 # leaders of nodes alone open the archive: rank 1 stands for another host
demo_manifest 8 >manifest.csv
demo_job 64 >job.yaml
expect 0 "$XAUDIT" run job.yaml --output whole.h5 --quiet
mkdir real folder empty
mount --bind real folder || fail "cannot bind a folder"
trap 'cd /; umount -l "$WORK/folder" 2>/dev/null; rm -rf "$WORK"' EXIT
# late SECONDS COMMAND..: `folder` stays empty for so long after the archive has its name; 0: for ever
cat >late <<'SH'
#!/bin/bash
seconds=$1
shift
mount --make-rprivate /
mount --bind empty folder
[ "$seconds" = 0 ] || (while [ ! -e real/a.h5 ]; do sleep 0.02; done; sleep "$seconds"; umount -l folder) &
exec "$@"
SH
chmod +x late
run() { timeout 100 $MPIRUN -n 1 "$XAUDIT" run job.yaml --output folder/a.h5 --quiet : -n 1 unshare -m ./late "$1" "$XAUDIT" run job.yaml --output folder/a.h5 --quiet; }
expect 0 run 1
digest real/a.h5 | cmp - <(digest whole.h5) || fail "other bytes after a late rename"
rm real/a.h5
expect 1 run 0
said 'rank 1.*folder/a.h5.*(No such file|share the folder)'
# the other host sees the file again, and the run is resumed there
expect 0 run 0.1
digest real/a.h5 | cmp - <(digest whole.h5) || fail "other bytes after the folder came back"
finish
