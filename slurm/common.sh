# Shared by the sbatch scripts. Source it from a job script:
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

# Checks a job once, before ranks are started: `xa_check JOB [options of xaudit run]`. The options that change the job or its
# archive are passed on to the check.
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
    --set=* | --output=* | --limit=* | --fresh | --retry-failed) same+=("$option") ;;
    esac
  done
  "$(xa_program)" check "$job" ${same[@]+"${same[@]}"}
}

# Starts the ranks in the background; xa_pid is their process. Each rank has one core. xaudit sets the threads of BLAS itself
# (`threads:` of the job); the variables only stop libraries that would start threads of their own.
xa_launch() {
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  case ${XAUDIT_LAUNCH:-srun} in
  srun) srun --mpi=pmix "$@" & ;;
  mpirun) mpirun "$@" & ;;
  *)
    echo "XAUDIT_LAUNCH=$XAUDIT_LAUNCH: expected srun or mpirun" >&2
    return 2
    ;;
  esac
  xa_pid=$!
}

# Waits for the ranks, also if this shell catches a signal meanwhile; xa_code is their exit code.
xa_wait() {
  xa_code=0
  wait "$xa_pid" || xa_code=$?
  while kill -0 "$xa_pid" 2>/dev/null; do # a trap ended the wait early
    xa_code=0
    wait "$xa_pid" || xa_code=$?
  done
}
