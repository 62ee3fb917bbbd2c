#!/usr/bin/env bash
# Disks that are full, read-only or cannot reserve space, and archives that disappear or are replaced while they are written. The
# file systems are small ones in a mount namespace; if the system does not allow that, those parts are skipped, counted and named.
if [ "${XA_DISK_INSIDE:-}" = "" ] && unshare -m true 2>/dev/null; then
  XA_DISK_INSIDE=1 exec unshare -m bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
log=${XA_FAULT_LOG:-/dev/null}
note() { echo "$1 | $2" >>"$log"; }
none_left() { # FOLDER: no temporary or half file
  ls "$1"/*.tmp-* "$1"/*.part >/dev/null 2>&1 && fail "something is left in $1: $(ls "$1")"
  return 0
}

demo_manifest 12 >manifest.csv
demo_job 64 >job.yaml
expect 0 "$XAUDIT" run job.yaml --output good.h5 --quiet
need=$(($(stat -c %s good.h5) / 1024))

# 1. Standard output cannot be written: the exit code shows it.
for command in "table good.h5 --csv" "summary good.h5" "info good.h5" "info good.h5 --methods"; do
  # shellcheck disable=SC2086
  "$XAUDIT" $command >/dev/full 2>err
  code=$?
  checks=$((checks + 1))
  [ $code = 1 ] || fail "xaudit $command > /dev/full: exit code $code, expected 1"
done
note "standard output full (table, summary, info)" "exit 1"

# 2. The archive is deleted or replaced during a run.
{
  head -n 1 manifest.csv
  for i in $(seq 60); do sed -n '2,$p' manifest.csv | sed "s#^\([^,]*\),\([^,]*\),#\1,\2/$i,#"; done
} >long.csv
sed 's/manifest.csv/long.csv/' job.yaml >long.yaml
started() { # while the run that $pid names lives
  while kill -0 $pid 2>/dev/null; do
    left=$("$XAUDIT" info "$1" 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p')
    [ -n "$left" ] && [ "$left" -lt 720 ] && return 0
    sleep 0.05
  done
  fail "$1 is not under way"
}
"$XAUDIT" run long.yaml --output gone.h5 --quiet >out 2>err &
pid=$!
started gone.h5
rm gone.h5
wait $pid
code=$?
[ $code = 1 ] || fail "the archive was deleted, and exit code $code"
said 'gone.h5'
[ ! -e gone.h5.lock ] || fail "a deleted archive leaves its lock"
note "archive deleted while running" "exit 1 at the next commit, named"
"$XAUDIT" run long.yaml --output swapped.h5 --quiet >out 2>err &
pid=$!
started swapped.h5
cp good.h5 other.h5
mv other.h5 swapped.h5
wait $pid
code=$?
[ $code = 1 ] || fail "the archive was replaced, and exit code $code"
said 'swapped.h5.*replaced|swapped.h5.*another'
cmp good.h5 swapped.h5 || fail "the run wrote into the file that replaced its archive"
note "archive replaced while running" "exit 1 at the next commit, the new file untouched"

# 3. Small file systems.
if [ "${XA_DISK_INSIDE:-}" != 1 ]; then
  echo "XA_SKIPPED cli_disk: no mount namespaces here: full and read-only file systems were not tried"
  finish
  exit 0
fi
trap 'cd /; umount "$WORK"/? 2>/dev/null; rm -rf "$WORK"' EXIT
small() { # NAME KILOBYTES
  mkdir -p "$1"
  mount -t tmpfs -o size="$2"k tmpfs "$1"
}
# full at creation: reported before the first image with the space that is needed, and nothing is left behind
small a $((need / 2))
expect 1 "$XAUDIT" run job.yaml --output a/x.h5 --quiet
said 'a/x.h5.*(space|room)'
none_left a
[ ! -e a/x.h5 ] && [ ! -e a/x.h5.lock ] || fail "an archive or its lock is left on the full disk"
expect 1 ranks 2 "$XAUDIT" run job.yaml --output a/x.h5 --quiet
none_left a
note "disk too small for the archive (1 and 2 ranks)" "told before the first image, exit 1, nothing left"
# space is reserved: others may fill the disk during the run
small b $((need + 600))
"$XAUDIT" run job.yaml --output b/x.h5 --quiet >out 2>err &
pid=$!
while [ ! -e b/x.h5 ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
dd if=/dev/zero of=b/filler bs=1k >/dev/null 2>&1
wait $pid || fail "the disk was filled by others after creation, and the run fails: $(cat err)"
rm b/filler
digest b/x.h5 | cmp - <(digest good.h5) || fail "other bytes on a full disk"
note "disk filled by others after creation" "no effect: the room is reserved"
# evaluate, merge and figure on a full disk: exit 1, nothing is half written, and the sources do not change
cp good.h5 before.h5
small c 40
expect 1 "$XAUDIT" evaluate good.h5 --as c/x.h5 --quiet
said 'c/x.h5'
none_left c
expect 0 "$XAUDIT" run job.yaml --output s1.h5 --slice 1/2 --quiet
expect 0 "$XAUDIT" run job.yaml --output s2.h5 --slice 2/2 --quiet
expect 1 "$XAUDIT" merge s1.h5 s2.h5 -o c/m.h5
said 'c/m.h5'
none_left c
for kind in png tiff pdf svg; do
  "$XAUDIT" figure good.h5 -o c/f.$kind --pick first -n 2 >out 2>err
  code=$?
  checks=$((checks + 1))
  [ $code = 1 ] || fail "a $kind figure on a full disk: exit code $code, expected 1"
  said "c/f.$kind"
  [ ! -e c/f.$kind ] || fail "half a $kind figure is left"
done
[ -z "$(ls c)" ] || fail "left on the full disk: $(ls c)"
cmp good.h5 before.h5 || fail "a source was touched"
note "disk full for evaluate, merge, figure (PNG, TIFF, PDF, SVG)" "exit 1, named, no half file, sources untouched"
# read-only
small d 2000
mount -o remount,ro d
expect 2 "$XAUDIT" run job.yaml --output d/x.h5 --quiet
said 'd/x.h5.*[Rr]ead-only'
expect 1 "$XAUDIT" evaluate good.h5 --as d/x.h5 --quiet
said 'd/x.h5.*[Rr]ead-only'
note "read-only file system" "told before the first image, exit 2 (run) and 1 (evaluate), named"
# an archive on a read-only file system is read, verified and drawn
small e $((need + 400))
cp good.h5 e/
mount -o remount,ro e
expect 0 "$XAUDIT" verify e/good.h5
expect 0 "$XAUDIT" summary e/good.h5
expect 0 "$XAUDIT" evaluate e/good.h5 --as here.h5 --quiet
expect 0 "$XAUDIT" verify here.h5
note "archive on a read-only file system" "verify, summary, evaluate elsewhere: as ever"
# a limit on the size of files (MPI itself needs files larger than the demo's archive, so only merge is tried)
checks=$((checks + 1))
(ulimit -f $((need / 2)); trap '' XFSZ; "$XAUDIT" merge s1.h5 s2.h5 -o q.h5 >out 2>err)
code=$?
[ $code = 1 ] || fail "a limit on the file size: exit code $code, expected 1"
said 'q.h5'
none_left .
note "limit on the file size (ulimit -f)" "exit 1, named, nothing left"
finish
