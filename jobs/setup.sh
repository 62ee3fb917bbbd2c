#!/usr/bin/env bash
# Shared by jobs/demo.sh and tests/run.sh: installs missing packages of Debian or Ubuntu (with sudo if not root),
# configures and builds. Source it:
#
#   . jobs/setup.sh; xa_packages PACKAGE..; xa_build FOLDER CMAKE-OPTION..

# packages that the program needs to be built and run
XA_PACKAGES="build-essential cmake ninja-build pkg-config libopenmpi-dev openmpi-bin libhdf5-openmpi-dev
  libopenblas-pthread-dev libtiff-dev libjpeg-dev libpng-dev zlib1g-dev libexif-dev libjansson-dev libyaml-dev libcsv-dev
  libxxhash-dev libssl-dev libyajl-dev libexpat1-dev libzip-dev libcairo2-dev libpango1.0-dev
  fonts-liberation fonts-dejavu-core"
# packages that the tests need in addition
XA_TEST_PACKAGES="libcmocka-dev poppler-utils hdf5-tools python3-h5py python3-numpy python3-pip
  python3-setuptools python3-wheel clang-format-14 iproute2
  slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge e2fsprogs"

# what the preset `mpich` needs instead of Open MPI and its HDF5; both lie beside one another
XA_MPICH_PACKAGES="mpich libmpich-dev libhdf5-mpich-dev"

# what the test of the report in a browser needs: Ubuntu has no such packages, and the test says that it is skipped
XA_BROWSER_PACKAGES="chromium chromium-driver python3-selenium"

xa_say() { printf '\n== %s\n' "$*"; }

# Installs the packages that are missing.
xa_packages() {
  local missing="" p
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "Not a Debian or Ubuntu: please see that these (or their like) are installed: $*" >&2
    return 0
  fi
  for p in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing="$missing $p"
  done
  [ -z "$missing" ] && return 0
  local sudo=""
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1; then
      sudo=sudo
    else
      echo "These packages are missing and you are not root:$missing" >&2
      return 1
    fi
  fi
  xa_say "installing$missing"
  # shellcheck disable=SC2086
  $sudo apt-get -o DPkg::Lock::Timeout=300 -qq update &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y \
      --no-install-recommends $missing >/dev/null
}

# Configures and builds into FOLDER.
xa_build() {
  local folder=$1
  shift
  xa_ninja "$folder" -S "$XA_ROOT" -B "$folder" -G Ninja "$@"
}

# Builds a preset of CMakePresets.json into its FOLDER.
xa_build_preset() {
  (cd "$XA_ROOT" && xa_ninja "$2" --preset "$1")
}

# xa_ninja FOLDER CMAKE-ARGUMENT..
xa_ninja() {
  local folder=$1
  shift
  cmake "$@" >"$folder.configure.log" 2>&1 || {
    cat "$folder.configure.log" >&2
    return 1
  }
  rm -f "$folder.configure.log"
  ninja -C "$folder" >"$folder/build.log" 2>&1 || {
    grep -E -A 12 'FAILED|error:' "$folder/build.log" | head -n 60 >&2
    return 1
  }
  tail -n 1 "$folder/build.log"
}

# Open MPI: the demo and the tests may run as root in a container, and with more ranks than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
