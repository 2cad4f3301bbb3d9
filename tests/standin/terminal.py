"""A command on a terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence


def on_terminal(command: Sequence[str], columns: int,
                environment: Mapping[str, str]) -> tuple[int, str]:
    """Returns exit status and output, standard error among it, with line feeds alone."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(command, env=environment, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    output = b""
    while data := _read(master):
        output += data
    os.close(master)
    return process.wait(), output.decode().replace("\r\n", "\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the last process of the terminal has ended
        return b""
