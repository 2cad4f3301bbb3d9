"""Tools that put a new file under the old name: each file changes at once, the set does not."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from .generation import Generation
from .in_place import vim
from .pattern import (CA, CERT, KEY, contents, create, gap, overwrite, pattern, plain, replace, run,
                      staged)

NOBODY = 65534  # the account of a watcher that is not root


def owned(place: Path, first: Generation) -> None:
    plain(place, first)
    for name in (CA, CERT, KEY):
        os.chown(place / "m" / name, NOBODY, NOBODY)


@pattern("consul-template, Vault Agent: rename comes before chown", layout=owned,
         account=True)
def consul_template(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(place / "m" / name, contents(new)[name], 0o600)
        gap(n)
        os.chown(place / "m" / name, NOBODY, NOBODY)


@pattern("consul-template with backup = true: link to .bak, rename", fresh="all")
def consul_template_backup(place: Path, n: int, new: Generation) -> None:
    for name, content in contents(new).items():
        path = place / "m" / name
        Path(f"{path}.bak").unlink(missing_ok=True)
        os.link(path, f"{path}.bak")
        replace(path, content, 0o600)
        gap(n)


@pattern("ansible copy, puppet file: .ansible_tmp, chmod, chown, rename", fresh="all")
def ansible(place: Path, n: int, new: Generation) -> None:
    for name in (CA, CERT, KEY):
        replace(place / "m" / name, contents(new)[name], 0o600, prefix=f".ansible_tmp{name}")
        gap(n)


@pattern("ansible copy without atomic moves: unlink, then copy", fresh="all")
def ansible_unsafe(place: Path, n: int, new: Generation) -> None:
    for name in (CA, CERT, KEY):
        path = place / "m" / name
        path.unlink()
        gap(n)
        overwrite(path, contents(new)[name], 0o600)


@pattern("rsync: temporary, utimes, chmod, rename, file by file")
def rsync(place: Path, n: int, new: Generation) -> None:
    run("rsync", "-a", "--ignore-times", f"{staged(place, n, new)}/", place / "m/")


@pattern("rsync --delay-updates: the three renames in a row", fresh="all")
def rsync_delayed(place: Path, n: int, new: Generation) -> None:
    run("rsync", "-a", "--ignore-times", "--delay-updates", f"{staged(place, n, new)}/",
        place / "m/")


@pattern("rsync --delete with an own temporary directory", fresh="all")
def rsync_elsewhere(place: Path, n: int, new: Generation) -> None:
    (place / "partial").mkdir(exist_ok=True)
    run("rsync", "-a", "--ignore-times", "--delete", f"--temp-dir={place / 'partial'}",
        f"{staged(place, n, new)}/", place / "m/")


@pattern("cp --remove-destination: unlink, open(O_EXCL), write, close")
def cp_removing(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        run("cp", "--remove-destination", source / name, place / "m" / name)
        gap(n)


@pattern("mv across file systems: unlink, copy, utimes, fchmod")
def mv_across(place: Path, n: int, new: Generation) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="rotate-") as shared:
        source = staged(Path(shared), n, new)
        for name in (KEY, CERT):
            run("mv", "-f", source / name, place / "m" / name)
            gap(n)


@pattern("mv of files that were written next to the old ones")
def mv_files(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(place / "m" / f"{name}.new", contents(new)[name], 0o600)
    for name in (CERT, KEY):
        run("mv", "-f", place / "m" / f"{name}.new", place / "m" / name)
        gap(n)


@pattern("install -m: chmod comes after the close", layout=owned, account=True)
def install(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        run("install", "-m", "0600", "-o", str(NOBODY), "-g", str(NOBODY), source / name,
            place / "m" / name)
        gap(n)


@pattern("install, slowed down: unreadable for a while after its CLOSE_WRITE",
         layout=owned, account=True)
def install_late_chmod(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        path = place / "m" / name
        path.unlink()
        create(path, contents(new)[name], 0o600)
        gap(n)
        os.chmod(path, 0o644)


@pattern("tar x: unlink, open(O_EXCL), write, close, utimes", fresh="all")
def tar(place: Path, n: int, new: Generation) -> None:
    run("tar", "-C", staged(place, n, new), "-cf", place / "set.tar", CA, CERT, KEY)
    run("tar", "-C", place / "m", "-xf", place / "set.tar")


@pattern("rm of all, a while of nothing, tar x (controller-runtime#3020)", fresh="all")
def rm_then_tar(place: Path, n: int, new: Generation) -> None:
    run("tar", "-C", staged(place, n, new), "-cf", place / "set.tar", CA, CERT, KEY)
    for name in (CERT, KEY, CA):
        (place / "m" / name).unlink()
    time.sleep(0.2 * n)
    run("tar", "-C", place / "m", "-xf", place / "set.tar")


def _git(place: Path, *words: str) -> None:
    run("git", "-C", place / "m", "-c", "user.name=x", "-c", "user.email=x@example.com",
        "-c", "init.defaultBranch=main", *words)


def _git_layout(place: Path, first: Generation) -> None:
    plain(place, first)
    _git(place, "init", "-q")
    _git(place, "add", ".")
    _git(place, "commit", "-q", "-m", "0")


@pattern("git checkout of a commit: unlink, open(O_EXCL), write, close; the key is 0644",
         layout=_git_layout, fresh="all")
def git_checkout(place: Path, n: int, new: Generation) -> None:
    # The commit is made without the work tree, which is the place that is watched.
    source = staged(place, n, new)
    tree = ("--git-dir", place / "m/.git", "--work-tree", source)
    run("git", *tree, "add", ".")
    run("git", *tree, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q",
        "-m", str(n))
    run("git", *tree, "branch", f"release-{n}")
    _git(place, "checkout", "-q", "-f", f"release-{n}")


@pattern("sed -i: temporary, fchmod, rename")
def sed_in_place(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        run("sed", "-i", "-e", f"1r {source / name}", "-e", "d", place / "m" / name)
        gap(n)


@pattern("perl -i: temporary, rename when it is done")
def perl_in_place(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    code = "BEGIN { $/ = undef; open F, shift; $new = <F> } $_ = $new"
    for name in (KEY, CERT):
        run("perl", "-i", "-p", "-e", code, source / name, place / "m" / name)
        gap(n)


@pattern("vim, backupcopy=no: the old file becomes file~, a new one is written")
def vim_renaming(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        vim(place / "m" / name, source / name, "no")
        gap(n)


@pattern("ln -f: a hard link raises CREATE and nothing after it")
def hard_link(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        (place / "m" / name).unlink()
        os.link(source / name, place / "m" / name)
        gap(n)


@pattern("O_TMPFILE and linkat: CLOSE_WRITE carries no name of ours")
def unnamed_file(place: Path, n: int, new: Generation) -> None:
    directory = place / "m"
    for name in (CERT, KEY):
        handle = os.open(directory, os.O_WRONLY | os.O_TMPFILE, 0o600)
        os.write(handle, contents(new)[name])
        (directory / name).unlink()
        # With src_dir_fd, Python calls linkat(AT_SYMLINK_FOLLOW), not link.
        os.link(f"/proc/self/fd/{handle}", directory / name, src_dir_fd=handle,
                follow_symlinks=True)
        os.close(handle)
        gap(n)
