#!/usr/bin/env bash
# A bad sample is a row with a reason: exit 3, or 0 within tolerate_failed. It does not affect good samples.
. "$(dirname "$0")/lib.sh"

demo_manifest 4 >manifest.csv
demo_job >job.yaml
expect 0 "$XAUDIT" run job.yaml --output good.h5 --quiet

photo=$PROJECT/jobs/demo/images/airplanes/image_0005.jpg
: >empty.jpg
head -c 3000 "$photo" >truncated.jpg
echo "this is no image" >text.jpg
mkdir folder.jpg
printf 'GIF89a\001\000\001\000' >animated.gif
printf '\211PNG\r\n\032\n\000\000\000\rIHDR\000\001\206\240\000\001\206\240\010\002\000\000\000' >bomb.png
cat >>manifest.csv <<CSV
missing.jpg,,airplanes,,,,,,,,,,,,,
empty.jpg,,airplanes,,,,,,,,,,,,,
truncated.jpg,,airplanes,,,,,,,,,,,,,
text.jpg,,airplanes,,,,,,,,,,,,,
folder.jpg,,airplanes,,,,,,,,,,,,,
animated.gif,,airplanes,,,,,,,,,,,,,
bomb.png,,airplanes,,,,,,,,,,,,,
CSV
sed -i 's/,,,,,,,,,,,,,$/,,,,,,,,,,,,/' manifest.csv
expect 3 ranks 2 "$XAUDIT" run job.yaml --output bad.h5
said '11 samples: 4 done, 7 failed'
said 'missing.jpg \(reading\)'
said 'empty.jpg'
said 'truncated.jpg \(decoding\)'
said 'animated.gif .*GIF'
expect 0 "$XAUDIT" table bad.h5 --csv
said '^truncated.jpg,airplanes,xception,failed'

# a run that tries only the failed ones again changes nothing
expect 3 "$XAUDIT" run job.yaml --output bad.h5 --retry-failed
said '4 done, 7 failed'
cp "$photo" missing.jpg
expect 3 "$XAUDIT" run job.yaml --output bad.h5 --retry-failed
said '5 done, 6 failed'
expect 3 "$XAUDIT" run job.yaml --output bad.h5
said 'nothing left to do'

expect 0 "$XAUDIT" run job.yaml --output tolerated.h5 --set tolerate_failed=6 --quiet
expect 3 "$XAUDIT" run job.yaml --output tolerated2.h5 --set tolerate_failed=5 --quiet
expect 0 "$XAUDIT" run job.yaml --output tolerated3.h5 --set tolerate_failed=60% --quiet

# excluded samples keep their row and are never read
{
  head -n 1 manifest.csv
  echo "nowhere.jpg,x,airplanes,,,,,,,,,,,,blurred"
  sed -n '2,3p' manifest.csv
} >excluded.csv
sed 's/manifest.csv/excluded.csv/' job.yaml >excluded.yaml
expect 0 "$XAUDIT" run excluded.yaml --output excluded.h5
said '2 samples: 1 done, 0 failed, 1 excluded'
finish
