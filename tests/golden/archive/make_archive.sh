#!/usr/bin/env bash
# Stores an archive of a release, with what that release printed of it: make_archive.sh XAUDIT
#
#   archive-VERSION.h5.gz    the archive of job.yaml
#   archive-VERSION.csv      its `table --csv`
#   archive-VERSION.summary.csv   its `summary --csv`
#
# Each release adds its own once, when its format and definitions stand, and none is ever made again: later releases read
# all of them (tests/cli/cli_archive.sh). Run in a build of that release:
#
#   tests/golden/archive/make_archive.sh build/xaudit
set -euo pipefail
xaudit=$(realpath "$1")
cd "$(dirname "$0")"
version=$("$xaudit" --version | awk '{ print $2 }')
# In a folder of its own and, where that is allowed, under another host's name: where it was made is nobody's business.
work=/tmp/xaudit-archive
mkdir "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/golden/archive" "$work/golden/keras/tf215" "$work/app/identity"
cp job.yaml manifest.csv "$work/golden/archive/"
cp ../keras/tf215/head_softmax_layer.h5 "$work/golden/keras/tf215/"
cp -r ../../job/identity/images "$work/app/identity/"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cat >"$work/make.sh" <<SH
hostname node 2>/dev/null
cd $work/golden/archive
"$xaudit" run job.yaml --output $work/out.h5 --quiet && "$xaudit" table $work/out.h5 --csv >$work/out.csv &&
  "$xaudit" summary $work/out.h5 --csv >$work/summary.csv
SH
unshare -r --uts sh "$work/make.sh" || sh "$work/make.sh"
gzip -9n "$work/out.h5"
size=$(stat -c %s "$work/out.h5.gz")
[ "$size" -lt 100000 ] || { echo "the archive has $size bytes, 100000 at most"; exit 1; }
mv "$work/out.h5.gz" "archive-$version.h5.gz"
mv "$work/out.csv" "archive-$version.csv"
mv "$work/summary.csv" "archive-$version.summary.csv"
echo "archive-$version.h5.gz: $size bytes"
