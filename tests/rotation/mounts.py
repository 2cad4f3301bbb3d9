"""Rotation by mount(2). The thread that runs these has a mount namespace of its own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from pathlib import Path

from .directories import DEEP
from .generation import Generation
from .links import LIBC
from .pattern import (CA, CERT, KEY, contents, gap, overwrite, pattern, replace, run,
                      staged, write_set)

CLONE_NEWNS = 0x00020000


def enter_private_namespace(*, shared: bool = False) -> None:
    """For the calling thread and what it starts; the mounts go with the last of them. Shared: what
    starts a namespace of its own from there can follow."""
    if LIBC.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    if shared:
        run("mount", "--make-rshared", "/")


def mount(*words: str | Path) -> None:
    run("mount", *words)


def unmount(path: Path) -> None:
    """A watcher may hold the directory open while it works through the events, not for ever."""
    end = time.monotonic() + 3
    while subprocess.run(["umount", str(path)], capture_output=True).returncode != 0:
        if time.monotonic() > end:
            raise AssertionError(f"{path} stays busy: the watcher holds the mount")
        time.sleep(0.02)


@pattern("mount --bind of a new directory over the last", fresh="all", mounts=True)
def bind_over(place: Path, n: int, new: Generation) -> None:
    mount("--bind", staged(place, n, new), place / "m")


def _bound(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    mount("--bind", write_set(place / "new-0", first), place / "m")


@pattern("umount, mount --bind: the empty place below shows for a while", layout=_bound,
         fresh="all", mounts=True)
def bind_again(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    unmount(place / "m")
    gap(n)
    mount("--bind", source, place / "m")


def _covered(place: Path, first: Generation) -> None:
    """The place below stays within reach as raw; what covers it has the first set."""
    for name in ("m", "raw", "cover"):
        (place / name).mkdir()
    mount("--bind", place / "m", place / "raw")
    write_set(place / "cover", first)
    mount("--bind", place / "cover", place / "m")


@pattern("umount uncovers the new set, the next bind mount covers it with a newer one",
         layout=_covered, fresh="all", mounts=True)
def uncover(place: Path, n: int, new: Generation) -> None:
    if n % 2:
        write_set(place / "raw", new)
        unmount(place / "m")
    else:
        write_set(place / "cover", new)
        mount("--bind", place / "cover", place / "m")


@pattern("mount --bind of single files over the certificate, then the key", mounts=True)
def bind_files(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        mount("--bind", source / name, place / "m" / name)
        gap(n)


# overlayfs ----------------------------------------------------------------------------------------

def _overlay(place: Path, lower: Path, n: int = 0) -> None:
    # Upper and work directory on a tmpfs: an overlay cannot lie on an overlay, as in a container.
    upper = place / f"tmp-{n}"
    upper.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "rotate", upper)
    for name in ("upper", "work"):
        (upper / name).mkdir()
    mount("-t", "overlay", "overlay", "-o",
          f"lowerdir={lower},upperdir={upper}/upper,workdir={upper}/work", place / "m")


def _overlay_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    _overlay(place, write_set(place / "lower", first))


@pattern("overlayfs: files written in place; the first write copies up", layout=_overlay_layout,
         mounts=True)
def overlay_in_place(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(place / "m" / name, contents(new)[name])
        gap(n)


@pattern("overlayfs: rename within the merged directory", layout=_overlay_layout, mounts=True)
def overlay_rename(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(place / "m" / name, contents(new)[name], 0o600)
        gap(n)


@pattern("overlayfs: the lower layer is changed below the mount", layout=_overlay_layout,
         mounts=True, silent=True)
def overlay_lower(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(place / "lower" / name, contents(new)[name])
        gap(n)


@pattern("overlayfs: umount, mount with another lower layer", layout=_overlay_layout, fresh="all",
         mounts=True)
def overlay_again(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    unmount(place / "m")
    _overlay(place, source, n)


# as containers see it -----------------------------------------------------------------------------

def _shared_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    mount("--bind", write_set(place / "host", first), place / "m")


@pattern("a bind-mounted directory, written by rename on the other side", layout=_shared_layout,
         mounts=True)
def docker_directory(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(place / "host" / name, contents(new)[name], 0o600)
        gap(n)


def _single_files_layout(place: Path, first: Generation) -> None:
    write_set(place / "host", first)
    write_set(place / "m", first)
    for name in (CA, CERT, KEY):
        mount("--bind", place / "host" / name, place / "m" / name)


@pattern("a bind-mounted file, replaced by rename on the other side: the old one stays for ever",
         layout=_single_files_layout, mounts=True, lands=False)
def docker_file_rename(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(place / "host" / name, contents(new)[name], 0o600)


@pattern("a bind-mounted file, written in place on the other side", layout=_single_files_layout,
         mounts=True, silent=True)
def docker_file_in_place(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(place / "host" / name, contents(new)[name])
        gap(n)


def _deep_layout(place: Path, first: Generation) -> None:
    (place / "a/b/c").mkdir(parents=True)
    mount("--bind", write_set(place / "new-0", first), place / "a/b/c")


@pattern("mv of a directory with a mount below it", layout=_deep_layout, files=DEEP, fresh="all",
         mounts=True)
def mv_with_mount(place: Path, n: int, new: Generation) -> None:
    (place / f"a-{n}/b/c").mkdir(parents=True)
    mount("--bind", staged(place, n, new), place / f"a-{n}/b/c")
    os.rename(place / "a", place / f"old-{n}")
    gap(n)
    os.rename(place / f"a-{n}", place / "a")


# as a unit of systemd sees it ---------------------------------------------------------------------

@pattern("mount --bind outside, while the watcher has a namespace that follows", fresh="all",
         mounts=True, isolated=True)
def follows_bind(place: Path, n: int, new: Generation) -> None:
    mount("--bind", staged(place, n, new), place / "m")


@pattern("mv of the directory outside, while the watcher has a namespace that follows", fresh="all",
         mounts=True, isolated=True)
def follows_mv(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    os.rename(place / "m", place / f"old-{n}")
    gap(n)
    os.rename(source, place / "m")
