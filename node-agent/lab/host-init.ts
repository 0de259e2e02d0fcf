/**
 * The one script of the lab: PID 1 of a machine until systemd takes its place. Text, because the product ships as one
 * bundle; it is written to the run folder when a lab opens.
 *
 * It runs inside fresh pid, mount, uts, ipc and net namespaces. Stage `enter` joins the machine's cgroups while the old
 * root is still there, and only then takes a cgroup namespace: so the machine's folders become the root of what it
 * sees, and the supervising processes stay outside them (cgroup v2 refuses controllers where a process sits in an inner
 * folder). Stage `build` composes the root from binds and pivots into it; nothing of the old root stays visible.
 *
 * Given: FL_NAME, FL_SCRIPT (this file), FL_DATA (etc, var, root: kept), FL_RUN (cgroups, binds, boot_id: this boot's),
 * fd 3 (told the pid as the root namespace knows it).
 */
export const hostInit = String.raw`#!/bin/sh
set -eu

join_cgroups() {
  while read -r _ _ _ folder; do echo 0 >"$folder/cgroup.procs"; done <"$FL_RUN/cgroups"
}

bind() { # source target [mount options]
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; [ -e "$2" ] || : >"$2"; fi
  mount -o "bind$3" "$1" "$2"
}

make_proc() {
  mount -t proc -o nosuid,noexec,nodev proc proc
  mount --bind proc/sys/net proc/sys/net # the sysctls of the machine's own network stay writable
  mount --rbind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -o bind,ro "$FL_RUN/boot_id" proc/sys/kernel/random/boot_id
  [ ! -e proc/sysrq-trigger ] || mount -o bind,ro proc/sysrq-trigger proc/sysrq-trigger
}

make_sys() { # read-only: systemd takes it as a sign to leave the hardware (udev, ...) alone
  mount -t sysfs -o nosuid,noexec,nodev,ro sysfs sys
  holder=missing
  while read -r version name options _; do
    if [ "$name" = . ]; then mount -t cgroup2 -o nosuid,noexec,nodev cgroup2 sys/fs/cgroup; return; fi
    [ "$holder" = made ] || mount -t tmpfs -o mode=755,nosuid,noexec cgroup sys/fs/cgroup
    holder=made
    mkdir "sys/fs/cgroup/$name"
    case $version in
      1) mount -t cgroup -o "$options" cgroup "sys/fs/cgroup/$name" ;;
      2) mount -t cgroup2 cgroup2 "sys/fs/cgroup/$name" ;;
    esac
    case $name in *,*) for part in $(echo "$name" | tr , ' '); do ln -s "$name" "sys/fs/cgroup/$part"; done ;; esac
  done <"$FL_RUN/cgroups"
}

make_dev() {
  mount -t tmpfs -o mode=755,nosuid,size=4m dev dev
  for node in null zero full random urandom tty net/tun fuse; do
    [ ! -e "/dev/$node" ] || bind "/dev/$node" "dev/$node" ''
  done
  mkdir dev/pts dev/shm dev/mqueue
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
  mount -t tmpfs -o nosuid,nodev,mode=1777 shm dev/shm
  mount -t mqueue mqueue dev/mqueue
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  ln -s /proc/self/fd/0 dev/stdin
  ln -s /proc/self/fd/1 dev/stdout
  ln -s /proc/self/fd/2 dev/stderr
}

make_binds() { # two lines each: source, target
  while IFS= read -r source && IFS= read -r target; do bind "$source" "$PWD$target" ,ro; done <"$FL_RUN/binds"
}

make_root() {
  mkdir -p "$FL_RUN/root"
  mount -t tmpfs -o mode=755,size=64m root "$FL_RUN/root"
  cd "$FL_RUN/root"
  mkdir usr etc var proc sys dev run tmp root opt srv home mnt media .old
  for link in bin sbin lib lib64; do ln -s "usr/$link" "$link"; done
  mount -o bind,ro /usr usr
  for kept in etc var root; do mount --bind "$FL_DATA/$kept" "$kept"; done
  [ ! -d /etc/alternatives ] || bind /etc/alternatives etc/alternatives ,ro # they name programs in /usr
  mount -t tmpfs -o nosuid,nodev,mode=755 run run
  mount -t tmpfs -o nosuid,nodev,mode=1777 tmp tmp
  make_proc
  make_sys
  make_dev
  make_binds
}

if [ "$1" = enter ]; then
  read -r pid _ </proc/self/stat
  join_cgroups
  echo "$pid" >&3
  exec 3>&-
  exec unshare --cgroup -- /bin/sh "$FL_SCRIPT" build
fi

echo "$FL_NAME" >/proc/sys/kernel/hostname
make_root
pivot_root . .old
cd /
umount -l .old
rmdir .old
mount --make-rshared / # private, LoadCredential= would not find what it mounted
read -r machine_id </etc/machine-id
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin container=flotilla container_uuid="$machine_id" LANG=C.UTF-8 \
  /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=false
`
