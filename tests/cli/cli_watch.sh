#!/usr/bin/env bash
# A run seen from outside: xaudit watch, and what a resumed run says at once.
. "$(dirname "$0")/lib.sh"

demo_manifest 3 >manifest.csv
echo broken >broken.jpg
columns=$(head -n 1 manifest.csv | tr -cd , | wc -c)
{
  cat manifest.csv
  printf 'broken.jpg%s\n' "$(printf ',%.0s' $(seq "$columns"))"
} >with.csv
mv with.csv manifest.csv
demo_job 64 >job.yaml
sed -i 's/target: label/target: predicted/' job.yaml
echo 'tolerate_failed: 1' >>job.yaml

expect 1 "$XAUDIT" watch out.h5
said 'out.h5'

# a run that stands still after its first commit
XAUDIT_FAULT=settled:1@0,stop "$XAUDIT" run job.yaml --quiet >/dev/null 2>&1 &
pid=$!
for _ in $(seq 600); do
  grep -q '^State:.T' /proc/$pid/status 2>/dev/null && break
  sleep 0.1
done
expect 0 "$XAUDIT" watch out.h5 --once
said '^out.h5: session 1, begun 20.*Z, on 1 rank of 1 node$'
said "in use by process $pid"
done_so_far=$(sed -n 's/^\([0-9]*\) of 4 images.*/\1/p' out)
[ "$done_so_far" -ge 1 ] && [ "$done_so_far" -lt 4 ] || fail "$done_so_far of 4 images after one commit"

# without --once it waits for the end, which is here that of the process
"$XAUDIT" watch out.h5 --every 0.2 >seen 2>&1 &
watcher=$!
while kill -0 $watcher 2>/dev/null; do
  grep -q ' of 4 images' seen && break
  sleep 0.1
done
kill -KILL $pid
wait $pid 2>/dev/null
wait $watcher
code=$?
[ $code = 75 ] || fail "exit code $code of watch after the run was killed, expected 75"
cp seen out
said "^out.h5: no run works on it, and $((4 - done_so_far)) images are to be computed"

# a resumed run says at once what was done before; its JSON too
expect 0 "$XAUDIT" run job.yaml
said "^xaudit: $done_so_far of 4 images were done before, ([0-9]+m[0-9]+s|\?) left\$"
expect 0 "$XAUDIT" watch out.h5
said '^  failed: broken.jpg: '
said '^4 of 4 images, 1 failed'
said '^out.h5: complete: 3 images done, 1 failed, 0 excluded$'
expect 2 "$XAUDIT" watch out.h5 --every 0
said '0.1 to 86400'
finish
