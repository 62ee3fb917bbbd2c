#!/usr/bin/env bash
# A job longer than the 64 KiB of an HDF5 attribute: it is run, resumed with other comments, and read back.
. "$(dirname "$0")/lib.sh"

demo_manifest 4 >manifest.csv
demo_job >short.yaml
{
  demo_job
  for i in $(seq 3000); do echo "# note $i: what was decided about this data set, and by whom"; done
} >long.yaml
[ "$(wc -c <long.yaml)" -gt 150000 ] || fail "the job is not long"

expect 0 ranks 2 "$XAUDIT" run long.yaml --quiet
expect 0 "$XAUDIT" info out.h5 --job
cmp out long.yaml || fail "another job came back"
expect 0 /usr/bin/python3 -c "
import sys; sys.path.insert(0, '$PROJECT/src/python')
from xaudit import Archive
with Archive('out.h5') as a: sys.stdout.write(a.job())"
cmp out long.yaml || fail "Python read another job"
digest out.h5 >long.txt

# the same settings with longer and shorter comments continue the archive
echo "# one more" >>long.yaml
expect 0 ranks 2 "$XAUDIT" run long.yaml
expect 0 "$XAUDIT" run short.yaml
digest out.h5 | cmp - long.txt || fail "the archive was touched"
expect 0 "$XAUDIT" run short.yaml --output short.h5 --quiet
digest short.h5 | cmp - long.txt || fail "comments move digests"
expect 0 "$XAUDIT" info short.h5 --job
cmp out short.yaml || fail "another short job came back"
expect 0 "$XAUDIT" run long.yaml --output short.h5

expect 1 "$XAUDIT" info "$PROJECT/jobs/demo/xception.h5" --job
said 'no archive of xaudit'
finish
