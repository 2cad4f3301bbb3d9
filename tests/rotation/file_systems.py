"""Rotation by another file system in the same place, and what some file systems do not tell."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from .generation import Generation
from .mounts import mount, unmount
from .pattern import (CA, CERT, KEY, contents, gap, overwrite, pattern, run, staged, write_set)


@pattern("a tmpfs over the directory, then files in it", fresh="all", mounts=True)
def tmpfs_over(place: Path, n: int, new: Generation) -> None:
    mount("-t", "tmpfs", "-o", "size=1m", "rotate", place / "m")
    gap(n)
    write_set(place / "m", new)


def tmpfs_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "rotate", place / "m")
    write_set(place / "m", first)


@pattern("umount of a tmpfs, mount of another one, files in it", layout=tmpfs_layout, fresh="all",
         mounts=True)
def tmpfs_again(place: Path, n: int, new: Generation) -> None:
    unmount(place / "m")
    gap(n)
    mount("-t", "tmpfs", "-o", "size=1m", "rotate", place / "m")
    write_set(place / "m", new)


@pattern("umount -l of a tmpfs, another one is moved there complete", layout=tmpfs_layout,
         fresh="all", mounts=True)
def mount_move(place: Path, n: int, new: Generation) -> None:
    aside = place / "aside"
    aside.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", "size=1m", "rotate", aside)
    write_set(aside, new)
    run("umount", "-l", place / "m")
    mount("--move", aside, place / "m")


@pattern("writes in place on a tmpfs", layout=tmpfs_layout, mounts=True)
def tmpfs_in_place(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(place / "m" / name, contents(new)[name])
        gap(n)


def _image_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    _image(place, 0, first)


def _image(place: Path, n: int, new: Generation, reproducible: bool = False) -> None:
    image, source, changes = place / f"{n}.image", staged(place, n, new), place / "changes"
    times = 1_000_000_000 + (0 if reproducible else n)
    for name, content in contents(new).items():
        overwrite(source / name, content.ljust(4096, b"\n"))
        os.utime(source / name, (times, times))
    run("mkfs.ext4", "-q", "-d", source, image, "1M")
    changes.write_text("".join(f"set_inode_field /{name} ctime @{times}\n"
                               for name in contents(new)))
    run("debugfs", "-w", "-f", changes, image)
    mount("-o", "loop,ro", image, place / "m")


@pattern("a read-only image file is mounted instead of the last", layout=_image_layout,
         fresh="all", mounts=True)
def image_file(place: Path, n: int, new: Generation) -> None:
    unmount(place / "m")
    _image(place, n, new)


def _reproducible_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    _image(place, 0, first, reproducible=True)


@pattern("an image of a reproducible build: device, inodes, sizes and all times as before",
         layout=_reproducible_layout, mounts=True)
def image_reproducible(place: Path, n: int, new: Generation) -> None:
    unmount(place / "m")
    _image(place, n, new, reproducible=True)


def _own_ext4(place: Path, first: Generation) -> None:
    (place / "fs").mkdir()
    run("mkfs.ext4", "-q", place / "image", "1M")
    mount("-o", "loop", place / "image", place / "fs")
    write_set(place / "fs/m", first)


@pattern("rm -rf directory; mkdir: on an ext4 of its own it gets the same inode number again",
         layout=_own_ext4, files=(f"fs/m/{CA}", f"fs/m/{CERT}", f"fs/m/{KEY}"), fresh="all",
         mounts=True)
def same_inode(place: Path, n: int, new: Generation) -> None:
    directory = place / "fs/m"
    number = directory.stat().st_ino
    shutil.rmtree(directory)
    directory.mkdir()
    assert directory.stat().st_ino == number
    gap(n)
    write_set(directory, new)


def _coarse_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    run("mkfs.ext4", "-q", "-I", "128", place / "image", "1M")
    mount("-o", "loop", place / "image", place / "m")
    _padded(place, first)


def _padded(place: Path, new: Generation) -> None:
    for name, content in contents(new).items():
        overwrite(place / "m" / name, content.ljust(4096, b"\n"))


@pattern("in place, with the same size, twice in one second of a file system that has only seconds",
         layout=_coarse_layout, mounts=True)
def coarse_times(place: Path, n: int, new: Generation) -> None:
    if n % 2:
        time.sleep(1 - time.time() % 1)
    _padded(place, new)


def _small_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "rotate", place / "m")
    write_set(place / "m", first)


@pattern("the disk is full while the set is written; what was cut off is written again",
         layout=_small_layout, mounts=True)
def disk_full(place: Path, n: int, new: Generation) -> None:
    with open(place / "m/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    for name in (CERT, KEY):
        try:
            overwrite(place / "m" / name, contents(new)[name] + bytes(8192))
        except OSError:
            pass
    gap(n)
    os.unlink(place / "m/filler")
    for name in (CERT, KEY):
        overwrite(place / "m" / name, contents(new)[name])


@pattern("umount and mount of a tmpfs outside, while the watcher has a namespace that follows",
         layout=tmpfs_layout, fresh="all", mounts=True, isolated=True)
def follows_tmpfs(place: Path, n: int, new: Generation) -> None:
    unmount(place / "m")
    gap(n)
    mount("-t", "tmpfs", "-o", "size=1m", "rotate", place / "m")
    write_set(place / "m", new)
