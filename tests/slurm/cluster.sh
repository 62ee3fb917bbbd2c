# A throw-away SLURM of two nodes on one machine: two network, UTS and mount namespaces joined by a bridge,
# the controller in a third name. To be sourced:
#
#   cluster_start FOLDER || exit 77    # prints why it cannot
#   srun ...; sbatch ...               # SLURM_CONF is set
#   cluster_stop
#   cluster_nodes FOLDER || exit 77    # the nodes alone, for mpirun; cluster_on N COMMAND runs there
#
# Needs root, ip(8), and Debian's slurmctld, slurmd, slurm-client, slurm-wlm-basic-plugins, munge.

cluster_id=$$
cluster_node() { echo "xas$1-$cluster_id"; }

# Runs a command on node 1 or 2.
cluster_on() {
  local i=$1
  shift
  nsenter --net="/run/netns/$(cluster_node "$i")" unshare -u -m sh -c \
    "hostname $(cluster_node "$i"); mount --bind $cluster_dir/hosts /etc/hosts; mount -t tmpfs tmpfs /dev/shm; exec \"\$@\"" sh "$@"
}

cluster_unable() {
  echo "XA_SKIPPED slurm: $1"
  return 1
}

# The two nodes alone, without SLURM; cluster_net is their network.
cluster_nodes() {
  cluster_dir=$1
  local tool net i
  [ "$(id -u)" = 0 ] || { cluster_unable "needs root to make namespaces"; return 1; }
  for tool in ip unshare nsenter hostname; do
    command -v "$tool" >/dev/null || { cluster_unable "needs $tool"; return 1; }
  done
  net=10.$((64 + cluster_id % 64)).$((cluster_id / 64 % 256))
  mkdir -p "$cluster_dir"
  chmod 0711 "$cluster_dir"
  ip link add "xas$cluster_id" type bridge 2>"$cluster_dir/why" ||
    { cluster_unable "cannot add a bridge: $(cat "$cluster_dir/why")"; return 1; }
  ip addr add "$net.254/24" dev "xas$cluster_id"
  ip link set "xas$cluster_id" up
  for i in 1 2; do
    ip netns add "$(cluster_node $i)" 2>"$cluster_dir/why" ||
      { cluster_unable "cannot add a namespace: $(cat "$cluster_dir/why")"; cluster_stop; return 1; }
    ip link add "xasv$i-$cluster_id" type veth peer name eth0 netns "$(cluster_node $i)"
    ip link set "xasv$i-$cluster_id" master "xas$cluster_id"
    ip link set "xasv$i-$cluster_id" up
    ip -n "$(cluster_node $i)" addr add "$net.$i/24" dev eth0
    ip -n "$(cluster_node $i)" link set eth0 up
    ip -n "$(cluster_node $i)" link set lo up
  done
  {
    cat /etc/hosts
    for i in 1 2; do echo "$net.$i $(cluster_node $i)"; done
    echo "$net.254 xas0-$cluster_id"
  } >"$cluster_dir/hosts"
  cluster_net=$net
}

cluster_start() {
  local tool net ctl i
  for tool in slurmctld slurmd munged sinfo; do
    command -v "$tool" >/dev/null || { cluster_unable "needs $tool"; return 1; }
  done
  cluster_nodes "$1" || return 1
  net=$cluster_net
  ctl="xas0-$cluster_id"
  mkdir -p "$cluster_dir"/{state,spool,log,munge,tmp}
  chmod 0711 "$cluster_dir/munge"
  dd if=/dev/urandom bs=1024 count=1 of="$cluster_dir/munge/key" 2>/dev/null
  chmod 0400 "$cluster_dir/munge/key"
  munged -f --key-file="$cluster_dir/munge/key" --socket="$cluster_dir/munge/s" \
    --pid-file="$cluster_dir/munge/munged.pid" --log-file="$cluster_dir/munge/munged.log" \
    --seed-file="$cluster_dir/munge/seed" >/dev/null 2>&1 ||
    { cluster_unable "munged does not start"; cluster_stop; return 1; }
  cat >"$cluster_dir/slurm.conf" <<CONF
ClusterName=throwaway
SlurmctldHost=$ctl($net.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$cluster_dir/munge/s
CredType=cred/munge
SlurmctldPort=$((20000 + cluster_id % 20000))
SlurmdPort=$((20001 + cluster_id % 20000))
StateSaveLocation=$cluster_dir/state
SlurmdSpoolDir=$cluster_dir/spool/%n
SlurmctldPidFile=$cluster_dir/slurmctld.pid
SlurmdPidFile=$cluster_dir/slurmd.%n.pid
SlurmctldLogFile=$cluster_dir/log/slurmctld.log
SlurmdLogFile=$cluster_dir/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=pmix
TmpFS=$cluster_dir/tmp/%n
ReturnToService=2
SlurmdTimeout=10
KillWait=5
JobRequeue=1
MailProg=/bin/true
SlurmdParameters=config_overrides
NodeName=$(cluster_node 1) NodeAddr=$net.1 CPUs=4 CoresPerSocket=4 RealMemory=4000 State=UNKNOWN
NodeName=$(cluster_node 2) NodeAddr=$net.2 CPUs=4 CoresPerSocket=4 RealMemory=4000 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  [ -d /sys/fs/cgroup/cgroup.controllers ] || echo "CgroupPlugin=cgroup/v1" >"$cluster_dir/cgroup.conf"
  export SLURM_CONF=$cluster_dir/slurm.conf
  unshare -u -m sh -c "hostname $ctl; mount --bind $cluster_dir/hosts /etc/hosts; slurmctld -f $SLURM_CONF" \
    >"$cluster_dir/log/start" 2>&1
  for i in 1 2; do
    cluster_daemon $i
  done
  cluster_idle 2 || { cluster_unable "nodes do not come up: $(tail -n 2 "$cluster_dir"/log/slurmd.*.log | tr '\n' ' ')"; cluster_stop; return 1; }
}

# (Re)starts the daemon of node i.
cluster_daemon() {
  mkdir -p "$cluster_dir/spool/$(cluster_node "$1")" "$cluster_dir/tmp/$(cluster_node "$1")"
  cluster_on "$1" slurmd -f "$SLURM_CONF" -N "$(cluster_node "$1")" >>"$cluster_dir/log/start" 2>&1
}

# Waits until so many nodes are idle.
cluster_idle() {
  local i
  for ((i = 0; i < 100; i++)); do
    [ "$(sinfo -h -N -o %t 2>/dev/null | grep -cx idle)" = "$1" ] && return 0
    sleep 0.2
  done
  return 1
}

cluster_stop() {
  local p pid i
  [ -f "$cluster_dir/slurm.conf" ] && scancel --quiet --state=RUNNING --user=root 2>/dev/null
  for p in slurmd."$(cluster_node 1)" slurmd."$(cluster_node 2)" slurmctld munge/munged; do
    pid=$(cat "$cluster_dir/$p.pid" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null
  done
  sleep 1
  for i in 1 2; do
    ip netns pids "$(cluster_node $i)" 2>/dev/null | xargs -r kill -9 2>/dev/null
    ip netns del "$(cluster_node $i)" 2>/dev/null
  done
  ip link del "xas$cluster_id" 2>/dev/null
  return 0
}
