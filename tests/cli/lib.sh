# What the command-line tests share. Sourced with the binary and the project folder as $1 and $2.
set -u
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
MPIRUN=${XA_MPIRUN:-mpirun --oversubscribe --bind-to none}
XAUDIT=$1
PROJECT=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1
checks=0

fail() {
  echo "FAILED: $*" >&2
  [ -f "$WORK/out" ] && sed 's/^/  out| /' "$WORK/out" >&2
  [ -f "$WORK/err" ] && sed 's/^/  err| /' "$WORK/err" >&2
  exit 1
}

# expect CODE COMMAND..: runs the command, keeps its output in out and err, and checks the exit code.
expect() {
  local want=$1 got
  shift
  "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
  got=$?
  checks=$((checks + 1))
  [ "$got" = "$want" ] || fail "exit code $got, expected $want: $*"
}

# expect_python ARGUMENTS.. <<PY: checks written in Python, on standard input; a failed assertion fails the test.
expect_python() {
  checks=$((checks + 1))
  cat >"$WORK/check.py"
  [ -s "$WORK/check.py" ] || fail "expect_python without a script"
  /usr/bin/python3 "$WORK/check.py" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || fail "the Python check above: $*"
}

# said PATTERN: checks that the last command printed it, on either stream.
said() {
  checks=$((checks + 1))
  cat "$WORK/out" "$WORK/err" | grep -qE -- "$1" || fail "nothing said about: $1"
}

not_said() {
  checks=$((checks + 1))
  cat "$WORK/out" "$WORK/err" | grep -qE -- "$1" && fail "should not be said: $1"
  return 0
}

# ranks N COMMAND..
ranks() {
  local n=$1
  shift
  $MPIRUN -n "$n" "$@"
}

# session_ended PID WHAT: waits until no process of the session that `setsid` began as PID lives on. Open MPI puts ranks into groups of
# their own: a signal to the group of mpirun does not reach them, and they end when they miss it, a moment later.
session_ended() {
  local t
  for ((t = 0; t < 600; t++)); do
    ps -s "$1" -o stat= | grep -qv '^Z' || break
    sleep 0.1
  done
  wait "$1" 2>/dev/null
  checks=$((checks + 1))
  ps -s "$1" -o stat= | grep -qv '^Z' && fail "$2, and processes of the run live on: $(ps -s "$1" -o pid=,stat=,args=)"
  return 0
}

digest() {
  "$XAUDIT" info --digest "$1"
}

# The first N samples of the demo.
demo_manifest() {
  head -n $((1 + 2 * $1)) "$PROJECT/jobs/demo/manifest.csv" | sed "s#images/#$PROJECT/jobs/demo/images/#; s#masks/#$PROJECT/jobs/demo/masks/#"
}

# demo_job [SIDE]: the demo's Xception at so many pixels per side; 64 is a quarter of the work, for tests where the numbers do not
# matter
demo_job() {
  local side=${1:-128}
  cat <<YAML
manifest: manifest.csv
classes: $PROJECT/jobs/demo/classes.txt
output: out.h5
models:
  - name: xception
    file: $PROJECT/jobs/demo/xception.h5
    input: { size: [$side, $side], resize: pil-bilinear, scale: tf }
    explainers:
      - { kind: saliency, score: logit, target: predicted }
      - { kind: gradcam, layer: auto, score: prob, target: label }
metrics: [pointing_game]
YAML
}

finish() {
  echo "$checks checks passed"
}
