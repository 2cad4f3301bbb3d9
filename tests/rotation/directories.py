"""Ways of rotating that replace the directory, or one above it."""

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
def mv_directory(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    run("mv", place / "m", place / f"m.old-{n}")
    gap(n)
    run("mv", source, place / "m")


@pattern("RENAME_EXCHANGE of two directories", fresh="all")
def exchange_directories(place: Path, n: int, new: Generation) -> None:
    exchange(staged(place, n, new), place / "m")


@pattern("rm -rf directory; mkdir; cp", fresh="all")
def rm_mkdir(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    run("rm", "-rf", place / "m")
    gap(n)
    run("sh", "-c", 'mkdir "$2" && cp "$1"/* "$2"', "sh", source, place / "m")


@pattern("rm -rf directory; mkdir at once; the files one by one")
def rm_mkdir_slowly(place: Path, n: int, new: Generation) -> None:
    shutil.rmtree(place / "m")
    os.mkdir(place / "m")
    for name, content in contents(new).items():
        gap(n)
        overwrite(place / "m" / name, content, 0o600)


@pattern("the directory is deleted and appears late, by rename", fresh="all")
def gone_for_long(place: Path, n: int, new: Generation) -> None:
    shutil.rmtree(place / "m")
    time.sleep(0.8)
    os.rename(staged(place, n, new), place / "m")


def _nothing(place: Path, first: Generation) -> None:
    pass


@pattern("a directory and those above it that appear only after the start", layout=_nothing,
         files=DEEP, starts_empty=True)
def appears_late(place: Path, n: int, new: Generation) -> None:
    if n == 1:
        for path in ("a", "a/b", "a/b/c"):
            time.sleep(0.1)
            os.mkdir(place / path)
    for name, content in contents(new).items():
        overwrite(place / "a/b/c" / name, content, 0o600)
        gap(n)


@pattern("mkdir -p and the files as fast as the kernel can", layout=_nothing, files=DEEP,
         starts_empty=True)
def appears_at_once(place: Path, n: int, new: Generation) -> None:
    shutil.rmtree(place / "a", ignore_errors=True)
    write_set(place / "a/b/c", new)


def _deep_layout(place: Path, first: Generation) -> None:
    write_set(place / "a/b/c", first)


@pattern("mv of a directory two above the files", layout=_deep_layout, files=DEEP)
def mv_ancestor(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"a-{n}/b/c", new)
    os.rename(place / "a", place / f"old-{n}")
    gap(n)
    os.rename(place / f"a-{n}", place / "a")


@pattern("a directory above becomes a link to another one", layout=_deep_layout, files=DEEP)
def ancestor_becomes_link(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"a-{n}/b/c", new)
    os.symlink(f"a-{n}", place / "next")
    exchange(place / "next", place / "a")
    os.rename(place / "next", place / f"old-{n}")


def _apart_layout(place: Path, first: Generation) -> None:
    for path, content in zip(APART, contents(first).values()):
        (place / path).parent.mkdir(exist_ok=True)
        overwrite(place / path, content, 0o600)


@pattern("each file in a directory of its own", layout=_apart_layout, files=APART, fresh="all")
def three_directories(place: Path, n: int, new: Generation) -> None:
    for path, content in zip(APART, contents(new).values()):
        overwrite(place / f"{path}.new", content, 0o600)
        os.rename(place / f"{path}.new", place / path)
        gap(n)


@pattern("only the CA bundle grows: an authority more each time", fresh="ca")
def ca_only(place: Path, n: int, new: Generation) -> None:
    overwrite(place / "m" / f"{CA}.new", new.ca)
    os.rename(place / "m" / f"{CA}.new", place / "m" / CA)


@pattern("chmod 000 of the directory while it is written", layout=owned, account=True)
def locked_directory(place: Path, n: int, new: Generation) -> None:
    directory = place / "m"
    directory.chmod(0)
    for name in (CERT, KEY):
        overwrite(directory / name, contents(new)[name])
        (directory / name).chmod(0o644)
        gap(n)
    directory.chmod(0o755)
