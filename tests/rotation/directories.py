"""Rotation patterns that replace the directory or one of its parents."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from .generation import Generation
from .links import exchange
from .pattern import CA, CERT, KEY, contents, gap, overwrite, pattern, run, staged, write_set
from .renaming import owned

DEEP = (f"a/b/c/{CA}", f"a/b/c/{CERT}", f"a/b/c/{KEY}")
APART = (f"trust/{CA}", f"certs/{CERT}", f"private/{KEY}")


@pattern("mv directory directory.old; mv new directory", fresh="all")
def mv_directory(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    run("mv", root / "m", root / f"m.old-{n}")
    gap(n)
    run("mv", source, root / "m")


@pattern("RENAME_EXCHANGE of two directories", fresh="all")
def exchange_directories(root: Path, n: int, new: Generation) -> None:
    exchange(staged(root, n, new), root / "m")


@pattern("rm -rf directory; mkdir; cp", fresh="all")
def rm_mkdir(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    run("rm", "-rf", root / "m")
    gap(n)
    run("sh", "-c", 'mkdir "$2" && cp "$1"/* "$2"', "sh", source, root / "m")


@pattern("rm -rf directory; mkdir at once; the files one by one")
def rm_mkdir_slowly(root: Path, n: int, new: Generation) -> None:
    shutil.rmtree(root / "m")
    os.mkdir(root / "m")
    for name, content in contents(new).items():
        gap(n)
        overwrite(root / "m" / name, content, 0o600)


@pattern("the directory is deleted and created 0.8 s later, by rename", fresh="all")
def gone_for_long(root: Path, n: int, new: Generation) -> None:
    shutil.rmtree(root / "m")
    time.sleep(0.8)
    os.rename(staged(root, n, new), root / "m")


def _nothing(root: Path, first: Generation) -> None:
    pass


@pattern("the directory and its parents are created after the start", layout=_nothing,
         files=DEEP, starts_empty=True)
def appears_late(root: Path, n: int, new: Generation) -> None:
    if n == 1:
        for path in ("a", "a/b", "a/b/c"):
            time.sleep(0.1)
            os.mkdir(root / path)
    for name, content in contents(new).items():
        overwrite(root / "a/b/c" / name, content, 0o600)
        gap(n)


@pattern("mkdir -p and the files without a pause", layout=_nothing, files=DEEP,
         starts_empty=True)
def appears_at_once(root: Path, n: int, new: Generation) -> None:
    shutil.rmtree(root / "a", ignore_errors=True)
    write_set(root / "a/b/c", new)


def _deep_layout(root: Path, first: Generation) -> None:
    write_set(root / "a/b/c", first)


@pattern("mv of a directory two levels above the files", layout=_deep_layout, files=DEEP)
def mv_ancestor(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"a-{n}/b/c", new)
    os.rename(root / "a", root / f"old-{n}")
    gap(n)
    os.rename(root / f"a-{n}", root / "a")


@pattern("a parent directory becomes a symbolic link to another directory", layout=_deep_layout,
         files=DEEP)
def ancestor_becomes_link(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"a-{n}/b/c", new)
    os.symlink(f"a-{n}", root / "next")
    exchange(root / "next", root / "a")
    os.rename(root / "next", root / f"old-{n}")


def _apart_layout(root: Path, first: Generation) -> None:
    for path, content in zip(APART, contents(first).values()):
        (root / path).parent.mkdir(exist_ok=True)
        overwrite(root / path, content, 0o600)


@pattern("each file in a directory of its own", layout=_apart_layout, files=APART, fresh="all")
def three_directories(root: Path, n: int, new: Generation) -> None:
    for path, content in zip(APART, contents(new).values()):
        overwrite(root / f"{path}.new", content, 0o600)
        os.rename(root / f"{path}.new", root / path)
        gap(n)


@pattern("only the CA bundle changes: one more CA each time", fresh="ca")
def ca_only(root: Path, n: int, new: Generation) -> None:
    overwrite(root / "m" / f"{CA}.new", new.ca)
    os.rename(root / "m" / f"{CA}.new", root / "m" / CA)


@pattern("chmod 000 of the directory while it is written", layout=owned, account=True)
def locked_directory(root: Path, n: int, new: Generation) -> None:
    directory = root / "m"
    directory.chmod(0)
    for name in (CERT, KEY):
        overwrite(directory / name, contents(new)[name])
        (directory / name).chmod(0o644)
        gap(n)
    directory.chmod(0o755)
