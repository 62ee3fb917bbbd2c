# What the sbatch scripts have in common. To be sourced from a job script:
#
#   . "${SLURM_SUBMIT_DIR:-.}/slurm/common.sh"
#
# XAUDIT         the program (default: build/xaudit of the submit folder, else xaudit in PATH)
# XAUDIT_LAUNCH  "srun" (default; needs a SLURM with PMIx) or "mpirun"

xa_program() {
  if [ -n "${XAUDIT:-}" ]; then
    echo "$XAUDIT"
  elif [ -x "${SLURM_SUBMIT_DIR:-.}/build/xaudit" ]; then
    echo "${SLURM_SUBMIT_DIR:-.}/build/xaudit"
  elif command -v xaudit >/dev/null 2>&1; then
    command -v xaudit
  else
    echo "xaudit not found: set XAUDIT to the program" >&2
    return 1
  fi
}

# Looks at a job once, before ranks are started: `xa_check JOB [options of xaudit run]`. The options that say which job it
# is are the check's, too.
xa_check() {
  local job=$1 option
  local -a same=()
  shift
  while [ $# -gt 0 ]; do
    option=$1
    shift
    case $option in
    --set | --output | -o | --limit)
      same+=("$option" "${1:-}")
      [ $# = 0 ] || shift
      ;;
    --set=* | --output=* | --limit=*) same+=("$option") ;;
    esac
  done
  "$(xa_program)" check "$job" ${same[@]+"${same[@]}"}
}

# Starts the ranks in the background; their process is xa_pid. Everything is one rank a core: BLAS threads
# are xaudit's own setting (`threads:` of the job), these variables only stop libraries that ask nobody.
xa_launch() {
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  case ${XAUDIT_LAUNCH:-srun} in
  srun) srun --mpi=pmix "$@" & ;;
  mpirun) mpirun "$@" & ;;
  *)
    echo "XAUDIT_LAUNCH=$XAUDIT_LAUNCH: srun or mpirun" >&2
    return 2
    ;;
  esac
  xa_pid=$!
}

# Waits for the ranks, through signals that this shell catches meanwhile; their exit code is xa_code.
xa_wait() {
  xa_code=0
  wait "$xa_pid" || xa_code=$?
  while kill -0 "$xa_pid" 2>/dev/null; do # the wait was cut short by a trap
    xa_code=0
    wait "$xa_pid" || xa_code=$?
  done
}
