"""Tools that overwrite the existing file: a reader can see it empty or incomplete."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from .generation import Generation
from .pattern import (CA, CERT, KEY, contents, create, gap, overwrite, pattern, run, staged)

LEGO = ("m/x.issuer.crt", "m/x.crt", "m/x.key")
KEPT: dict[Path, int] = {}


def _lego_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    lego(root, 1, first)


@pattern("lego: os.WriteFile certificate, issuer, key, bundle", layout=_lego_layout, files=LEGO)
def lego(root: Path, n: int, new: Generation) -> None:
    directory = root / "m"
    overwrite(directory / "x.crt", new.cert, 0o600)
    gap(n)
    overwrite(directory / "x.issuer.crt", new.ca, 0o600)
    overwrite(directory / "x.key", new.key, 0o600)
    overwrite(directory / "x.pem", new.cert + new.key, 0o600)


@pattern("step ca renew: os.WriteFile of the certificate, same key", fresh="cert")
def step_renew(root: Path, n: int, new: Generation) -> None:
    overwrite(root / "m" / CERT, new.cert, 0o600)


@pattern("step ca rekey: os.WriteFile of certificate, key")
def step_rekey(root: Path, n: int, new: Generation) -> None:
    overwrite(root / "m" / CERT, new.cert, 0o600)
    gap(n)
    overwrite(root / "m" / KEY, new.key, 0o600)


@pattern("spiffe-helper: os.WriteFile of certificate, key, bundle", fresh="all")
def spiffe_helper(root: Path, n: int, new: Generation) -> None:
    overwrite(root / "m" / CERT, new.cert)
    gap(n)
    overwrite(root / "m" / KEY, new.key, 0o600)
    gap(n)
    overwrite(root / "m" / CA, new.ca)


@pattern("acme.sh --install-cert: cat > certificate, CA, key, full chain", fresh="all")
def acme_sh(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, CA, KEY):
        run("sh", "-c", 'cat "$1" >"$2"', "sh", source / name, root / "m" / name)
        gap(n)
    run("sh", "-c", 'cat "$1" "$2" >"$3"', "sh", source / CERT, source / CA, root / "m/full.pem")


@pattern("certmonger: the certificate is empty while the key is written")
def certmonger(root: Path, n: int, new: Generation) -> None:
    directory = root / "m"
    certificate = os.open(directory / CERT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    create(directory / f"{KEY}.{n}", new.key, 0o600)
    gap(n)
    overwrite(directory / KEY, new.key, 0o600)
    gap(n)
    os.unlink(directory / f"{KEY}.{n}")
    os.write(certificate, new.cert)
    os.close(certificate)


@pattern("openssl req -newkey: the key first, the certificate after it is signed")
def openssl_out(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    run("openssl", "pkey", "-in", source / KEY, "-out", root / "m" / KEY)
    gap(n)
    run("openssl", "x509", "-in", source / CERT, "-out", root / "m" / CERT)


@pattern("cp: open(O_TRUNC), write, close")
def cp(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        run("cp", source / name, root / "m" / name)
        gap(n)


@pattern("cp -a with one modification time for all generations, older than the existing file")
def cp_archive(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CA, CERT, KEY):
        os.utime(source / name, (1_000_000_000, 1_000_000_000))
    run("cp", "-a", *(source / name for name in (CERT, KEY, CA)), root / "m")


@pattern("scp: the real sink, over a shell instead of a network")
def scp(root: Path, n: int, new: Generation) -> None:
    source, shell = staged(root, n, new), root / "shell"
    shell.write_text('#!/bin/sh\nfor word; do last=$word; done\nexec sh -c "$last"\n')
    shell.chmod(0o755)
    for name in (CERT, KEY):
        run("scp", "-O", "-q", "-S", shell, source / name, f"host:{root / 'm' / name}")
        gap(n)


@pattern("scp, sftp over a slow link: open(O_TRUNC), many writes, fchmod, close")
def scp_slow(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        content = contents(new)[name]
        handle = os.open(root / "m" / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for start in range(0, len(content), 300):
            os.write(handle, content[start:start + 300])
            time.sleep(0.03 * n)
        os.fchmod(handle, 0o600)
        os.close(handle)


@pattern("rsync --inplace: write, ftruncate, close, utimes")
def rsync_inplace(root: Path, n: int, new: Generation) -> None:
    run("rsync", "-a", "--inplace", "--ignore-times", f"{staged(root, n, new)}/", root / "m/")


@pattern("vim, backupcopy=yes: swap file, truncate, write, fchmod")
def vim_in_place(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (CERT, KEY):
        vim(root / "m" / name, source / name, "yes")
        gap(n)


def vim(path: Path, source: Path, copy: str) -> None:
    run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "--cmd",
        f"set backupcopy={copy} backupskip= writebackup directory=. updatecount=1",
        "-c", "%d", "-c", f"0read {source}", "-c", "wq!", path)


@pattern("shell: : > file, then cat >> file in pieces")
def shell_append(root: Path, n: int, new: Generation) -> None:
    source = staged(root, n, new)
    for name in (KEY, CERT):
        run("sh", "-c", ': >"$2"; head -c 700 "$1" >>"$2"; tail -c +701 "$1" >>"$2"', "sh",
            source / name, root / "m" / name)
        gap(n)


@pattern("a writer with mmap: no event before munmap")
def mapped(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        content = contents(new)[name]
        with open(root / "m" / name, "r+b") as file:
            os.ftruncate(file.fileno(), len(content))
            with mmap.mmap(file.fileno(), len(content)) as area:
                file.close()
                gap(n)
                area[:] = content
                area.flush()


@pattern("a writer that does not close the file: only MODIFY events", silent=True)
def kept_open(root: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        path, content = root / "m" / name, contents(new)[name]
        if path not in KEPT:
            KEPT[path] = os.open(path, os.O_WRONLY)
        os.ftruncate(KEPT[path], 0)
        os.pwrite(KEPT[path], content, 0)
        os.fsync(KEPT[path])
        gap(n)
    if n >= 3:
        for name in (CERT, KEY):
            os.close(KEPT.pop(root / "m" / name))
