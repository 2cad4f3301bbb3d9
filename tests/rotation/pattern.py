"""The Pattern class, its decorator, and system calls that most patterns use."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .generation import Generation

Layout = Callable[[Path, Generation], None]
Rotate = Callable[[Path, int, Generation], None]

CA, CERT, KEY = "ca.pem", "client-cert.pem", "client-key.pem"

# Seconds between two files of a set: none; longer than the settle time, so that the watcher reads
# an incomplete set; longer than the settle limit, so that the incomplete set becomes invalid.
GAPS = (0.0, 0.12, 0.5)


@dataclass(frozen=True)
class Pattern:
    """One way of rotating, in a root directory of its own.

    files: the watched paths, relative to root: CA, certificate, key. layout writes the first
    generation as the tool does, rotate each later one.
    """

    name: str
    tool: str
    layout: Layout
    rotate: Rotate
    files: tuple[str, str, str] = (f"m/{CA}", f"m/{CERT}", f"m/{KEY}")
    fresh: str = "pair"        # what a generation renews; see Pool.series
    mounts: bool = False       # runs, with the watcher, in a mount namespace of its own
    isolated: bool = False     # the watcher in a slave namespace of that one, as a systemd unit
    account: bool = False      # the watcher is not root
    silent: bool = False       # raises no event on a watched directory: only a poll finds it
    starts_empty: bool = False  # layout writes no complete set
    visible: bool = True         # False: the new files never appear under the watched path


PATTERNS: list[Pattern] = []


def pattern(tool: str, *, layout: Layout | None = None, **more: object) -> Callable[
        [Rotate], Rotate]:
    """Registers the decorated function as the rotate of a pattern with its name."""
    def register(rotate: Rotate) -> Rotate:
        PATTERNS.append(Pattern(rotate.__name__.replace("_", "-"), tool, layout or plain, rotate,
                                **more))  # type: ignore[arg-type]
        return rotate
    return register


def plain(root: Path, first: Generation) -> None:
    """Three regular files in one directory."""
    write_set(root / "m", first)


def write_set(directory: Path, generation: Generation) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in contents(generation).items():
        overwrite(directory / name, content, 0o600 if name == KEY else 0o644)
    return directory


def staged(root: Path, n: int, generation: Generation) -> Path:
    """Writes the source files of a copying tool."""
    return write_set(root / f"new-{n}", generation)


def contents(generation: Generation) -> dict[str, bytes]:
    return {CA: generation.ca, CERT: generation.cert, KEY: generation.key}


def overwrite(path: Path, content: bytes, mode: int = 0o644) -> None:
    """open(O_TRUNC), write, close, as os.WriteFile of Go and > of a shell; mode of a new file."""
    _put(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), content)


def create(path: Path, content: bytes, mode: int = 0o644) -> None:
    _put(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), content)


def replace(path: Path, content: bytes, mode: int, *, prefix: str = "") -> None:
    """mkstemp, write, fsync, close, chmod, rename."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    os.write(handle, content)
    os.fsync(handle)
    os.close(handle)
    os.chmod(fresh, mode)
    os.rename(fresh, path)


def gap(n: int) -> None:
    time.sleep(GAPS[(n - 1) % len(GAPS)])


def run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} exited with status {done.returncode}: "
                           f"{done.stderr}{done.stdout}")


def _put(handle: int, content: bytes) -> None:
    os.write(handle, content)
    os.close(handle)
