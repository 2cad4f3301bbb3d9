"""Runs in place of the daemon: tries operations that the sandbox must refuse.

It prints those that are allowed, and "ended".
"""

import ctypes
import mmap
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

WRITABLE = (os.environ["STATE_DIRECTORY"], os.environ["RUNTIME_DIRECTORY"], "/tmp", "/var/tmp",
            "/dev/shm")


def attempt(name: str, action: Callable[[], object]) -> None:
    try:
        action()
    except OSError:
        return
    print(f"allowed: {name}", flush=True)


def execute(script: Path) -> None:
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    try:
        subprocess.run([script], check=True)
    finally:
        script.unlink()


def unshare() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) != 0:  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "unshare")


for path in ("/etc/binlog-ssld", "/usr", "/var/lib", "/run", "/proc/sys/kernel/core_pattern"):
    attempt(f"write {path}", lambda: os.open(
        path if path.startswith("/proc") else f"{path}/probe", os.O_WRONLY | os.O_CREAT))
attempt("see /home", lambda: os.stat("/home/probe"))
attempt("see the host's /tmp", lambda: os.stat("/tmp/probe"))
attempt("see process 1", lambda: os.stat("/proc/1"))
attempt("see devices", lambda: os.stat("/dev/kmsg"))
for path in WRITABLE:
    attempt(f"execute a new file in {path}", lambda: execute(Path(path) / "script"))
attempt("writable and executable memory", lambda: mmap.mmap(
    -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
for family in (socket.AF_NETLINK, socket.AF_PACKET):
    attempt(f"socket {family.name}", lambda: socket.socket(family, socket.SOCK_RAW))
attempt("new user namespace", unshare)
attempt("higher priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, -1))
attempt("change the owner", lambda: os.chown(os.environ["STATE_DIRECTORY"], 0, 0))

# Operations that the sandbox must allow.
Path(os.environ["STATE_DIRECTORY"], "probe").write_text("")
os.memfd_create("probe", os.MFD_ALLOW_SEALING)
mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
for path in ("/", "/usr", "/etc/binlog-ssld"):
    found = [mount[5] for mount in mounts if mount[4] == path]
    if not all(options.startswith("ro") for options in found):
        print(f"allowed: {path} is mounted {found}", flush=True)
subprocess.run(["/bin/true"], check=True)
print("ended", flush=True)
