#!/bin/sh
# The manual page, from what the program itself says.   make_man.sh XAUDIT > xaudit.1
set -eu
xaudit=$1
version=$("$xaudit" --version | sed 's/^xaudit //')
# text as it is: roff's own characters escaped
plain() { sed -e 's/\\/\\e/g' -e "s/^\\([.']\\)/\\\\\\&\\1/" -e 's/-/\\-/g'; }
block() {
  echo .nf
  plain
  echo .fi
}
cat <<ROFF
.TH XAUDIT 1 "" "xaudit $version" "User Commands"
.SH NAME
xaudit \\- explain every image of a data set into one HDF5 archive
.SH SYNOPSIS
.B xaudit
.I COMMAND
.RI [ ARGUMENTS ]
.SH DESCRIPTION
Explains every image of a manifest with saliency maps, the Grad-CAM family and attention maps of one or more
trained models, scores the maps against annotated boxes and masks, and writes one parallel HDF5 archive. It runs
alone, under mpirun or under srun; archives have the same bytes for every number of ranks.
.SH COMMANDS
ROFF
"$xaudit" --help | sed -n '3,/^Exit codes/p' | sed '$d' | block
for command in $("$xaudit" --help | sed -n 's/^  xaudit \([a-z]*\) .*/\1/p'); do
  echo ".SH XAUDIT $(echo "$command" | tr a-z A-Z)"
  "$xaudit" "$command" --help | block
done
echo '.SH EXIT STATUS'
"$xaudit" --help | sed -n '/^Exit codes/,/resume\./p' | sed 's/^Exit codes: //' | plain
cat <<'ROFF'
.SH ENVIRONMENT
.TP
.B XAUDIT_LOG
error, warning (default), info or debug: debug shows where an error came from.
.TP
.B OPENBLAS_CORETYPE
names one set of kernels where the nodes of a job differ.
.SH FILES
A job is a YAML file, a manifest a CSV file; REFERENCE.md of the documentation folder describes both, the archive, and
the metrics with their conventions. sbatch scripts are in share/xaudit/slurm.
ROFF
