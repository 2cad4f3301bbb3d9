"""Tools that rename a new file to the old name: atomic for each file, not for the set."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from .generation import Generation
from .in_place import vim
from .pattern import (CA, CERT, KEY, contents, create, gap, overwrite, pattern, plain, replace, run,
                      staged)

NOBODY = 65534  # the user of a watcher that is not root


def owned(root: Path, first: Generation) -> None:
    plain(root, first)
    for name in (CA, CERT, KEY):
        os.chown(root / "m" / name, NOBODY, NOBODY)


@pattern("consul-template, Vault Agent: rename comes before chown", layout=owned,
         account=True)
def consul_template(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        replace(root / "m" / name, contents(new)[name], 0o600)
        gap(n)
        os.chown(root / "m" / name, NOBODY, NOBODY)


@pattern("consul-template with backup = true: link to .bak, rename", fresh="all")
def consul_template_backup(root: Path, n: int, new: Generation) -> None:
    for name, content in contents(new).items():
        path = root / "m" / name
        Path(f"{path}.bak").unlink(missing_ok=True)
        os.link(path, f"{path}.bak")
        replace(path, content, 0o600)
        gap(n)


@pattern("ansible copy, puppet file: .ansible_tmp, chmod, chown, rename", fresh="all")
def ansible(root: Path, n: int, new: Generation) -> None:
    for name in (CA, CERT, KEY):
        replace(root / "m" / name, contents(new)[name], 0o600, prefix=f".ansible_tmp{name}")
        gap(n)


@pattern("ansible copy without atomic moves: unlink, then copy", fresh="all")
def ansible_unsafe(root: Path, n: int, new: Generation) -> None:
    for name in (CA, CERT, KEY):
        path = root / "m" / name
        path.unlink()
        gap(n)
        overwrite(path, contents(new)[name], 0o600)


@pattern("rsync: temporary, utimes, chmod, rename, file by file")
def rsync(root: Path, n: int, new: Generation) -> None:
    run("rsync", "-a", "--ignore-times", f"{staged(root, n, new)}/", root / "m/")


@pattern("rsync --delay-updates: the three renames in a row", fresh="all")
def rsync_delayed(root: Path, n: int, new: Generation) -> None:
    run("rsync", "-a", "--ignore-times", "--delay-updates", f"{staged(root, n, new)}/",
        root / "m/")


@pattern("rsync --delete with a separate temporary directory", fresh="all")
def rsync_elsewhere(root: Path, n: int, new: Generation) -> None:
    (root / "partial").mkdir(exist_ok=True)
    run("rsync", "-a", "--ignore-times", "--delete", f"--temp-dir={root / 'partial'}",
        f"{staged(root, n, new)}/", root / "m/")


@pattern("cp --remove-destination: unlink, open(O_EXCL), write, close")
def cp_removing(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        run("cp", "--remove-destination", source / name, root / "m" / name)
        gap(n)


@pattern("mv across file systems: unlink, copy, utimes, fchmod")
def mv_across(root: Path, n: int, new: Generation) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="rotation-") as shared:
        source = staged(Path(shared), n, new)
        for name in (KEY, CERT):
            run("mv", "-f", source / name, root / "m" / name)
            gap(n)


@pattern("mv of files that were written next to the old ones")
def mv_files(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        overwrite(root / "m" / f"{name}.new", contents(new)[name], 0o600)
    for name in (CERT, KEY):
        run("mv", "-f", root / "m" / f"{name}.new", root / "m" / name)
        gap(n)


@pattern("install -m: chmod comes after the close", layout=owned, account=True)
def install(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        run("install", "-m", "0600", "-o", str(NOBODY), "-g", str(NOBODY), source / name,
            root / "m" / name)
        gap(n)


@pattern("install, slow: unreadable for some time after its CLOSE_WRITE",
         layout=owned, account=True)
def install_late_chmod(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        path = root / "m" / name
        path.unlink()
        create(path, contents(new)[name], 0o600)
        gap(n)
        os.chmod(path, 0o644)


@pattern("tar x: unlink, open(O_EXCL), write, close, utimes", fresh="all")
def tar(root: Path, n: int, new: Generation) -> None:
    run("tar", "-C", staged(root, n, new), "-cf", root / "set.tar", CA, CERT, KEY)
    run("tar", "-C", root / "m", "-xf", root / "set.tar")


@pattern("rm of all files, a pause, tar x (controller-runtime#3020)", fresh="all")
def rm_then_tar(root: Path, n: int, new: Generation) -> None:
    run("tar", "-C", staged(root, n, new), "-cf", root / "set.tar", CA, CERT, KEY)
    for name in (CERT, KEY, CA):
        (root / "m" / name).unlink()
    time.sleep(0.2 * n)
    run("tar", "-C", root / "m", "-xf", root / "set.tar")


def _git(root: Path, *words: str) -> None:
    run("git", "-C", root / "m", "-c", "user.name=x", "-c", "user.email=x@example.com",
        "-c", "init.defaultBranch=main", *words)


def _git_layout(root: Path, first: Generation) -> None:
    plain(root, first)
    _git(root, "init", "-q")
    _git(root, "add", ".")
    _git(root, "commit", "-q", "-m", "0")


@pattern("git checkout of a commit: unlink, open(O_EXCL), write, close; the key is 0644",
         layout=_git_layout, fresh="all")
def git_checkout(root: Path, n: int, new: Generation) -> None:
    # The commit is made from another work tree; the one in m is watched.
    source = staged(root, n, new)
    tree = ("--git-dir", root / "m/.git", "--work-tree", source)
    run("git", *tree, "add", ".")
    run("git", *tree, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q",
        "-m", str(n))
    run("git", *tree, "branch", f"release-{n}")
    _git(root, "checkout", "-q", "-f", f"release-{n}")


@pattern("sed -i: temporary, fchmod, rename")
def sed_in_place(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        run("sed", "-i", "-e", f"1r {source / name}", "-e", "d", root / "m" / name)
        gap(n)


@pattern("perl -i: temporary, rename at the end")
def perl_in_place(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    code = "BEGIN { $/ = undef; open F, shift; $new = <F> } $_ = $new"
    for name in (KEY, CERT):
        run("perl", "-i", "-p", "-e", code, source / name, root / "m" / name)
        gap(n)


@pattern("vim, backupcopy=no: the old file becomes file~, a new one is written")
def vim_renaming(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        vim(root / "m" / name, source / name, "no")
        gap(n)


@pattern("ln -f: a hard link raises CREATE and nothing after it")
def hard_link(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        (root / "m" / name).unlink()
        os.link(source / name, root / "m" / name)
        gap(n)


@pattern("O_TMPFILE and linkat: CLOSE_WRITE does not carry the name of the file")
def unnamed_file(root: Path, n: int, new: Generation) -> None:
    directory = root / "m"
    for name in (CERT, KEY):
        handle = os.open(directory, os.O_WRONLY | os.O_TMPFILE, 0o600)
        os.write(handle, contents(new)[name])
        (directory / name).unlink()
        # With src_dir_fd, Python calls linkat(AT_SYMLINK_FOLLOW), not link.
        os.link(f"/proc/self/fd/{handle}", directory / name, src_dir_fd=handle,
                follow_symlinks=True)
        os.close(handle)
        gap(n)
