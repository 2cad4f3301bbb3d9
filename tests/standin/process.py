"""Called in a child before it executes a program: its end, its mounts, its root directory."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
CLONE_NEWNS = 0x20000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000


def die_with(parent: int) -> Callable[[], None]:
    """Returns a function after which the kernel kills the child when its parent's thread ends."""
    def prepare() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    return prepare


def enter_root(root: Path, shared: Path) -> None:
    """Makes root the root directory, with the directory shared in it under the same path.

    The mount is in a namespace of this process and ends with it.
    """
    _check(LIBC.unshare(CLONE_NEWNS))
    _check(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    _check(LIBC.mount(bytes(shared), bytes(root / shared.relative_to("/")), None, MS_BIND, None))
    os.chroot(root)
    os.chdir("/")


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
