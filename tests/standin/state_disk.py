"""A small file system for the state directory of a daemon, which can be full."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .process import die_with

SIZE = "256k"
MOUNT = 'mount -t tmpfs -o "size=$1,mode=700" state "$2" && echo mounted && exec cat'


class StateDisk:
    """Mounted in a namespace of its own, which outlives each daemon and ends with this process."""

    def __init__(self, directory: Path) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNT, "sh", SIZE,
             str(directory)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with(os.getpid()))
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"mounted\n":
            raise RuntimeError("the file system of the state directory cannot be mounted")
        self.path = Path(f"/proc/{self._holder.pid}/root{directory}")

    def wrapper(self) -> list[str]:
        """The command that executes another one in the namespace."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]

    def fill(self) -> None:
        with open(self.path / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return  # it is full

    def clear(self) -> None:
        (self.path / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        self._holder.kill()
        self._holder.communicate()
