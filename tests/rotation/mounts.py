"""Rotation by mount(2). The thread that runs these patterns has its own mount namespace."""

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
    """For the calling thread and its children; the mounts end with the last of them.

    shared: mounts propagate into slave namespaces that a child creates.
    """
    if LIBC.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    if shared:
        run("mount", "--make-rshared", "/")


def mount(*words: str | Path) -> None:
    run("mount", *words)


def unmount(path: Path) -> None:
    """Retries for 3 s: a watcher may keep the directory open while it handles events."""
    end = time.monotonic() + 3
    while subprocess.run(["umount", str(path)], capture_output=True).returncode != 0:
        if time.monotonic() > end:
            raise AssertionError(f"{path} is still busy: the watcher keeps the mount open")
        time.sleep(0.02)


@pattern("mount --bind of a new directory over the previous one", fresh="all", mounts=True)
def bind_over(root: Path, n: int, new: Generation) -> None:
    mount("--bind", staged(root, n, new), root / "m")


def _bound(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    mount("--bind", write_set(root / "new-0", first), root / "m")


@pattern("umount, mount --bind: the empty directory below is visible in between", layout=_bound,
         fresh="all", mounts=True)
def bind_again(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    unmount(root / "m")
    gap(n)
    mount("--bind", source, root / "m")


def _covered(root: Path, first: Generation) -> None:
    """raw: the directory below the mount; cover: the one mounted on it, with the first set."""
    for name in ("m", "raw", "cover"):
        (root / name).mkdir()
    mount("--bind", root / "m", root / "raw")
    write_set(root / "cover", first)
    mount("--bind", root / "cover", root / "m")


@pattern("umount uncovers the new set; the next bind mount covers it with a newer one",
         layout=_covered, fresh="all", mounts=True)
def uncover(root: Path, n: int, new: Generation) -> None:
    if n % 2:
        write_set(root / "raw", new)
        unmount(root / "m")
    else:
        write_set(root / "cover", new)
        mount("--bind", root / "cover", root / "m")


@pattern("mount --bind of single files over the certificate, then the key", mounts=True)
def bind_files(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        mount("--bind", source / name, root / "m" / name)
        gap(n)


# overlayfs ----------------------------------------------------------------------------------------

def _overlay(root: Path, lower: Path, n: int = 0) -> None:
    # Upper and work directory are on a tmpfs: they cannot be on an overlay, as a container has.
    upper = root / f"tmp-{n}"
    upper.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "rotation", upper)
    for name in ("upper", "work"):
        (upper / name).mkdir()
    mount("-t", "overlay", "overlay", "-o",
          f"lowerdir={lower},upperdir={upper}/upper,workdir={upper}/work", root / "m")


def _overlay_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    _overlay(root, write_set(root / "lower", first))


@pattern("overlayfs: files written in place; the first write copies up", layout=_overlay_layout,
         mounts=True)
def overlay_in_place(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(root / "m" / name, contents(new)[name])
        gap(n)


@pattern("overlayfs: rename within the merged directory", layout=_overlay_layout, mounts=True)
def overlay_rename(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(root / "m" / name, contents(new)[name], 0o600)
        gap(n)


@pattern("overlayfs: the lower layer is changed below the mount", layout=_overlay_layout,
         mounts=True, silent=True)
def overlay_lower(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(root / "lower" / name, contents(new)[name])
        gap(n)


@pattern("overlayfs: umount, mount with another lower layer", layout=_overlay_layout, fresh="all",
         mounts=True)
def overlay_again(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    unmount(root / "m")
    _overlay(root, source, n)


# containers ---------------------------------------------------------------------------------------

def _shared_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    mount("--bind", write_set(root / "host", first), root / "m")


@pattern("a bind-mounted directory, files replaced by rename on the host side",
         layout=_shared_layout,
         mounts=True)
def docker_directory(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(root / "host" / name, contents(new)[name], 0o600)
        gap(n)


def _single_files_layout(root: Path, first: Generation) -> None:
    write_set(root / "host", first)
    write_set(root / "m", first)
    for name in (CA, CERT, KEY):
        mount("--bind", root / "host" / name, root / "m" / name)


@pattern("a bind-mounted file, replaced by rename on the host side: the old file stays mounted",
         layout=_single_files_layout, mounts=True, visible=False)
def docker_file_rename(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(root / "host" / name, contents(new)[name], 0o600)


@pattern("a bind-mounted file, written in place on the host side", layout=_single_files_layout,
         mounts=True, silent=True)
def docker_file_in_place(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(root / "host" / name, contents(new)[name])
        gap(n)


def _deep_layout(root: Path, first: Generation) -> None:
    (root / "a/b/c").mkdir(parents=True)
    mount("--bind", write_set(root / "new-0", first), root / "a/b/c")


@pattern("mv of a directory with a mount below it", layout=_deep_layout, files=DEEP, fresh="all",
         mounts=True)
def mv_with_mount(root: Path, n: int, new: Generation) -> None:
    (root / f"a-{n}/b/c").mkdir(parents=True)
    mount("--bind", staged(root, n, new), root / f"a-{n}/b/c")
    os.rename(root / "a", root / f"old-{n}")
    gap(n)
    os.rename(root / f"a-{n}", root / "a")


# units of systemd ---------------------------------------------------------------------------------

@pattern("mount --bind outside the watcher's mount namespace, which is a slave", fresh="all",
         mounts=True, isolated=True)
def follows_bind(root: Path, n: int, new: Generation) -> None:
    mount("--bind", staged(root, n, new), root / "m")


@pattern("mv of the directory outside the watcher's mount namespace, which is a slave", fresh="all",
         mounts=True, isolated=True)
def follows_mv(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    os.rename(root / "m", root / f"old-{n}")
    gap(n)
    os.rename(source, root / "m")
