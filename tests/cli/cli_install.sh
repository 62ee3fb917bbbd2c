#!/usr/bin/env bash
# cmake --install: the program runs where it was installed, its manual names every command, completion offers them. And the
# sbatch script of `check --slurm`.
. "$(dirname "$0")/lib.sh"

build=$(dirname "$XAUDIT")
expect 0 cmake --install "$build" --prefix "$WORK/there"
for f in bin/xaudit share/man/man1/xaudit.1 share/bash-completion/completions/xaudit share/xaudit/slurm/xaudit.sbatch \
  share/xaudit/slurm/common.sh share/xaudit/python/xaudit/archive.py share/xaudit/python/pyproject.toml share/xaudit/python/xaudit_export.py share/doc/xaudit/README.md share/doc/xaudit/REFERENCE.md; do
  [ -s "there/$f" ] || fail "$f is not installed"
done
expect 0 there/bin/xaudit --version
cp out version
demo_manifest 2 >manifest.csv
demo_job >job.yaml
expect 0 there/bin/xaudit run job.yaml --quiet

# folders and compiler flags are the builder's, and options by their names until 0.2 are not ignored (once is enough)
if [ -z "${XA_SANITIZED:-}" ]; then
  expect 0 cmake -S "$PROJECT" -B flags -G Ninja -DXA_TESTS=OFF -DCMAKE_C_FLAGS_RELEASE="-O2 -g0" -DCMAKE_INSTALL_BINDIR=programs
  said 'XA_TESTS is called XAUDIT_TESTS now'
  [ "$(grep -c '"command":' flags/compile_commands.json)" = "$(grep -c -- '-O2 -g0' flags/compile_commands.json)" ] ||
    fail "CMAKE_C_FLAGS_RELEASE is not used"
  [ ! -d flags/tests ] || fail "XA_TESTS=OFF builds the tests"
  grep -q '/programs"' flags/src/cli/cmake_install.cmake || fail "CMAKE_INSTALL_BINDIR is not used"
fi

# the manual (test_help checks that manual and completion have every option)
man=there/share/man/man1/xaudit.1
sed 's/\\-/-/g; s/\\&//g' $man >man.txt
grep -q "$(sed 's/^xaudit //' version)" man.txt || fail "the manual is of another version"
for command in $("$XAUDIT" --help | sed -n 's/^  xaudit \([a-z]*\) .*/\1/p'); do
  grep -q "xaudit $command" man.txt || fail "the manual lacks $command"
  checks=$((checks + 1))
done
if command -v groff >/dev/null; then
  groff -man -Tutf8 -ww $man >page.txt 2>warnings
  [ ! -s warnings ] || fail "groff: $(head -3 warnings)"
fi

# completion
complete_words() { # WORD.. : what is offered for the last one
  bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _xaudit; printf "%s\n" "${COMPREPLY[@]}"' bash \
    there/share/bash-completion/completions/xaudit "$@"
}
complete_words "$XAUDIT" ev | grep -qx evaluate || fail "no completion of a command"
complete_words "$XAUDIT" run --sl | grep -qx -- --slice || fail "no completion of an option of run"
complete_words "$XAUDIT" help set | grep -qx settings || fail "no completion of help settings"
complete_words "$XAUDIT" help settings tol | sort -u | tr '\n' ' ' | grep -qx 'tolerance tolerate_failed ' ||
  fail "no completion of a setting"
complete_words "$XAUDIT" figure --pre | grep -qx -- --preset || fail "no completion of an option of figure"
complete_words "$XAUDIT" run job. | grep -qx job.yaml || fail "no completion of a file"

# the script of check --slurm is complete on standard output and follows from the job
expect 0 "$XAUDIT" check job.yaml --slurm --ranks 2
cp out fit.sbatch
grep -q 'ready to run' err || fail "the check is not told beside the script"
head -n 1 fit.sbatch | grep -qx '#!/bin/bash' || fail "not a script"
bash -n fit.sbatch || fail "not a script bash reads"
grep -qx '#SBATCH --ntasks=2' fit.sbatch || fail "--ranks 2 gives $(grep ntasks fit.sbatch)"
grep -qE '^#SBATCH --mem-per-cpu=[1-9][0-9]*M$' fit.sbatch || fail "no memory"
grep -qE '^#SBATCH --time=00:10:00$' fit.sbatch || fail "no time"
grep -q 'run job.yaml$' fit.sbatch || fail "another job"
expect 0 "$XAUDIT" check job.yaml --slurm --ranks 1 --output "it's.h5" --limit 2 --set models.0.batch=2 --set 'metrics=[energy]'
[ "$(tail -n 1 out | sed 's/.* run //')" = "job.yaml --output 'it'\\''s.h5' --limit 2 --set models.0.batch=2 --set 'metrics=[energy]'" ] ||
  fail "the script runs something else than was checked: $(tail -n 1 out)"
expect 2 "$XAUDIT" check job.yaml --slurm --ranks none
finish
