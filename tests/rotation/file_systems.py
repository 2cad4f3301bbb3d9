"""Rotation by mounting another file system, and file systems with coarse or equal metadata."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from .generation import Generation
from .mounts import mount, unmount
from .pattern import (CA, CERT, KEY, contents, gap, overwrite, pattern, run, staged, write_set)


@pattern("a tmpfs over the directory, then files in it", fresh="all", mounts=True)
def tmpfs_over(root: Path, n: int, new: Generation) -> None:
    mount("-t", "tmpfs", "-o", "size=1m", "rotation", root / "m")
    gap(n)
    write_set(root / "m", new)


def tmpfs_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "rotation", root / "m")
    write_set(root / "m", first)


@pattern("umount of a tmpfs, mount of another one, files in it", layout=tmpfs_layout, fresh="all",
         mounts=True)
def tmpfs_again(root: Path, n: int, new: Generation) -> None:
    unmount(root / "m")
    gap(n)
    mount("-t", "tmpfs", "-o", "size=1m", "rotation", root / "m")
    write_set(root / "m", new)


@pattern("umount -l of a tmpfs, another one is moved there complete", layout=tmpfs_layout,
         fresh="all", mounts=True)
def mount_move(root: Path, n: int, new: Generation) -> None:
    aside = root / "aside"
    aside.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", "size=1m", "rotation", aside)
    write_set(aside, new)
    run("umount", "-l", root / "m")
    mount("--move", aside, root / "m")


@pattern("writes in place on a tmpfs", layout=tmpfs_layout, mounts=True)
def tmpfs_in_place(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(root / "m" / name, contents(new)[name])
        gap(n)


def _image_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    _image(root, 0, first)


def _image(root: Path, n: int, new: Generation, reproducible: bool = False) -> None:
    image, source, changes = root / f"{n}.image", staged(root, n, new), root / "changes"
    times = 1_000_000_000 + (0 if reproducible else n)
    for name, content in contents(new).items():
        overwrite(source / name, content.ljust(4096, b"\n"))
        os.utime(source / name, (times, times))
    run("mkfs.ext4", "-q", "-d", source, image, "1M")
    changes.write_text("".join(f"set_inode_field /{name} ctime @{times}\n"
                               for name in contents(new)))
    run("debugfs", "-w", "-f", changes, image)
    mount("-o", "loop,ro", image, root / "m")


@pattern("a read-only image file is mounted in place of the previous one", layout=_image_layout,
         fresh="all", mounts=True)
def image_file(root: Path, n: int, new: Generation) -> None:
    unmount(root / "m")
    _image(root, n, new)


def _reproducible_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    _image(root, 0, first, reproducible=True)


@pattern("an image of a reproducible build: same device, inodes, sizes and times",
         layout=_reproducible_layout, mounts=True)
def image_reproducible(root: Path, n: int, new: Generation) -> None:
    unmount(root / "m")
    _image(root, n, new, reproducible=True)


def _own_ext4(root: Path, first: Generation) -> None:
    (root / "fs").mkdir()
    run("mkfs.ext4", "-q", root / "image", "1M")
    mount("-o", "loop", root / "image", root / "fs")
    write_set(root / "fs/m", first)


@pattern("rm -rf directory; mkdir: on an ext4 of its own, with the same inode number",
         layout=_own_ext4, files=(f"fs/m/{CA}", f"fs/m/{CERT}", f"fs/m/{KEY}"), fresh="all",
         mounts=True)
def same_inode(root: Path, n: int, new: Generation) -> None:
    directory = root / "fs/m"
    number = directory.stat().st_ino
    shutil.rmtree(directory)
    directory.mkdir()
    end = time.monotonic() + 20
    while directory.stat().st_ino != number:  # ext4 may avoid a number that was freed just now
        assert time.monotonic() < end
        directory.rmdir()
        time.sleep(0.1)
        directory.mkdir()
    gap(n)
    write_set(directory, new)


def _coarse_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    run("mkfs.ext4", "-q", "-I", "128", root / "image", "1M")
    mount("-o", "loop", root / "image", root / "m")
    _padded(root, first)


def _padded(root: Path, new: Generation) -> None:
    for name, content in contents(new).items():
        overwrite(root / "m" / name, content.ljust(4096, b"\n"))


@pattern("in place, same size, twice within one second, on a file system with times in seconds",
         layout=_coarse_layout, mounts=True)
def coarse_times(root: Path, n: int, new: Generation) -> None:
    if n % 2:
        time.sleep(1 - time.time() % 1)
    _padded(root, new)


def _small_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "rotation", root / "m")
    write_set(root / "m", first)


@pattern("the disk is full while the set is written; truncated files are written again",
         layout=_small_layout, mounts=True)
def disk_full(root: Path, n: int, new: Generation) -> None:
    with open(root / "m/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    for name in (CERT, KEY):
        try:
            overwrite(root / "m" / name, contents(new)[name] + bytes(8192))
        except OSError:
            pass
    gap(n)
    os.unlink(root / "m/filler")
    for name in (CERT, KEY):
        overwrite(root / "m" / name, contents(new)[name])


@pattern("umount and mount of a tmpfs outside the watcher's mount namespace, which is a slave",
         layout=tmpfs_layout, fresh="all", mounts=True, isolated=True)
def follows_tmpfs(root: Path, n: int, new: Generation) -> None:
    unmount(root / "m")
    gap(n)
    mount("-t", "tmpfs", "-o", "size=1m", "rotation", root / "m")
    write_set(root / "m", new)
