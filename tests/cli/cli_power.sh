#!/usr/bin/env bash
# Loss of power: the archive is on an ext4 file system of its own, which is shut down and loses its caches and journal while the
# run halts at a named point (src/run/fault.h). The run then meets a dead disk and must end by itself. The disk is mounted again:
# every done row must be undamaged, what was settled must still be there, and the same command must complete the archive.
# Each point is tried once, or on both ranks with XA_FULL=1. If no loop device can be mounted, the test is skipped and counted.
if [ "${XA_POWER_INSIDE:-}" = "" ] && unshare -m true 2>/dev/null; then
  XA_POWER_INSIDE=1 exec unshare -m bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
log=${XA_FAULT_LOG:-/dev/null}
skip() {
  echo "XA_SKIPPED cli_power: $1"
  finish
  exit 0
}
PATH=$PATH:/usr/sbin:/sbin
command -v mkfs.ext4 >/dev/null || skip "needs mkfs.ext4 (Debian: e2fsprogs)"
truncate -s 48M disk.img
mkfs.ext4 -q -F disk.img
mkdir disk
mount -o loop disk.img disk 2>why || skip "cannot mount a loop device: $(cat why)"
trap 'cd /; umount -l "$WORK/disk" 2>/dev/null; rm -rf "$WORK"' EXIT

demo_manifest 24 >manifest.csv
demo_job 64 >job.yaml
expect 0 "$XAUDIT" run job.yaml --output whole.h5 --quiet
digest whole.h5 >whole.txt

power_off() { # without flushing the journal
  /usr/bin/python3 -c 'import fcntl, os, struct
fcntl.ioctl(os.open("disk", os.O_RDONLY), 0x8004587D, struct.pack("I", 2))'
}
remount() {
  for ((t = 0; t < 100; t++)); do umount disk 2>/dev/null && break; sleep 0.1; done
  mount -o loop disk.img disk || fail "the disk does not mount again"
}

trial() { # POINT RANK [N]
  local point=$1 rank=$2 n=${3:-1} pid victim code state before left
  rm -rf disk/a.h5*
  sync -f disk
  XAUDIT_FAULT=$point:$n@$rank,stop setsid timeout -k 5 200 $MPIRUN -n 2 "$XAUDIT" run job.yaml --output disk/a.h5 --quiet >out 2>err &
  pid=$!
  victim=
  for ((t = 0; t < 1200; t++)); do
    for p in $(pgrep -f "^$XAUDIT run job.yaml --output disk/a.h5"); do
      state=$(sed 's/.*) //; s/ .*//' "/proc/$p/stat" 2>/dev/null)
      [ "$state" = T ] && victim=$p
    done
    [ -n "$victim" ] && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.05
  done
  [ -n "$victim" ] || fail "no rank came to $point on rank $rank"
  before=$("$XAUDIT" info disk/a.h5 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p')
  power_off
  kill -CONT "$victim"
  wait $pid
  code=$?
  checks=$((checks + 1))
  [ $code != 124 ] && [ $code != 137 ] || fail "the disk died at $point on rank $rank: the run hangs"
  [ $code != 0 ] || fail "the disk died at $point on rank $rank, and exit code 0"
  grep -qE 'a.h5|closing the archive' err || fail "the disk died at $point: the archive is not named"
  session_ended $pid "the disk died at $point"
  remount
  left=gone
  if [ -e disk/a.h5 ]; then
    "$XAUDIT" verify disk/a.h5 >out 2>err || fail "damage after the loss of power at $point on rank $rank"
    left=$("$XAUDIT" info disk/a.h5 2>/dev/null | sed -n 's/.* \([0-9]*\) pending$/\1/p')
  fi
  case $point in
  setup) ;;
  settled | end) [ "$left" != gone ] && [ "$left" -le "$before" ] && [ "$left" -lt 24 ] || fail "$point: $before were pending, now $left: settled rows are lost" ;;
  *) [ "$left" != gone ] || fail "$point: the archive is gone" ;;
  esac
  echo "power lost at $point on rank $rank | $left of 24 pending" >>"$log"
  expect 0 timeout 120 $MPIRUN -n 2 "$XAUDIT" run job.yaml --output disk/a.h5 --quiet
  digest disk/a.h5 | cmp -s - whole.txt || fail "other bytes after the loss of power at $point on rank $rank"
}

if [ "${XA_FULL:-}" = 1 ]; then
  for point in setup created opened session computed staged synced; do
    trial $point 0
    trial $point 1
  done
  for point in mark marked settled end; do trial $point 0; done
  trial settled 0 2
  trial end 1
else
  trial created 1
  trial opened 0
  trial staged 1
  trial synced 0
  trial marked 0
  trial settled 0
  trial end 0
fi
finish
