"""Tools that write into the file that is there: a reader can see it empty, or half."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from .generation import Generation
from .pattern import (CA, CERT, KEY, contents, create, gap, overwrite, pattern, run, staged)

LEGO = ("m/x.issuer.crt", "m/x.crt", "m/x.key")
KEPT: dict[Path, int] = {}


def _lego_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    lego(place, 1, first)


@pattern("lego: os.WriteFile certificate, issuer, key, bundle", layout=_lego_layout, files=LEGO)
def lego(place: Path, n: int, new: Generation) -> None:
    directory = place / "m"
    overwrite(directory / "x.crt", new.cert, 0o600)
    gap(n)
    overwrite(directory / "x.issuer.crt", new.ca, 0o600)
    overwrite(directory / "x.key", new.key, 0o600)
    overwrite(directory / "x.pem", new.cert + new.key, 0o600)


@pattern("step ca renew: os.WriteFile of the certificate, the key stays", fresh="cert")
def step_renew(place: Path, n: int, new: Generation) -> None:
    overwrite(place / "m" / CERT, new.cert, 0o600)


@pattern("step ca rekey: os.WriteFile of certificate, key")
def step_rekey(place: Path, n: int, new: Generation) -> None:
    overwrite(place / "m" / CERT, new.cert, 0o600)
    gap(n)
    overwrite(place / "m" / KEY, new.key, 0o600)


@pattern("spiffe-helper: os.WriteFile of certificate, key, bundle", fresh="all")
def spiffe_helper(place: Path, n: int, new: Generation) -> None:
    overwrite(place / "m" / CERT, new.cert)
    gap(n)
    overwrite(place / "m" / KEY, new.key, 0o600)
    gap(n)
    overwrite(place / "m" / CA, new.ca)


@pattern("acme.sh --install-cert: cat > certificate, CA, key, full chain", fresh="all")
def acme_sh(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, CA, KEY):
        run("sh", "-c", 'cat "$1" >"$2"', "sh", source / name, place / "m" / name)
        gap(n)
    run("sh", "-c", 'cat "$1" "$2" >"$3"', "sh", source / CERT, source / CA, place / "m/full.pem")


@pattern("certmonger: the certificate is empty while the key is written")
def certmonger(place: Path, n: int, new: Generation) -> None:
    directory = place / "m"
    certificate = os.open(directory / CERT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    create(directory / f"{KEY}.{n}", new.key, 0o600)
    gap(n)
    overwrite(directory / KEY, new.key, 0o600)
    gap(n)
    os.unlink(directory / f"{KEY}.{n}")
    os.write(certificate, new.cert)
    os.close(certificate)


@pattern("openssl req -newkey: the key at once, the certificate when it is signed")
def openssl_out(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    run("openssl", "pkey", "-in", source / KEY, "-out", place / "m" / KEY)
    gap(n)
    run("openssl", "x509", "-in", source / CERT, "-out", place / "m" / CERT)


@pattern("cp: open(O_TRUNC), write, close")
def cp(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        run("cp", source / name, place / "m" / name)
        gap(n)


@pattern("cp -a with one modification time for all generations: older than what is there")
def cp_archive(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CA, CERT, KEY):
        os.utime(source / name, (1_000_000_000, 1_000_000_000))
    run("cp", "-a", *(source / name for name in (CERT, KEY, CA)), place / "m")


@pattern("scp: the real sink, over a shell instead of a network")
def scp(place: Path, n: int, new: Generation) -> None:
    source, shell = staged(place, n, new), place / "shell"
    shell.write_text('#!/bin/sh\nfor word; do last=$word; done\nexec sh -c "$last"\n')
    shell.chmod(0o755)
    for name in (CERT, KEY):
        run("scp", "-O", "-q", "-S", shell, source / name, f"host:{place / 'm' / name}")
        gap(n)


@pattern("scp, sftp over a slow link: open(O_TRUNC), many writes, fchmod, close")
def scp_slow(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        content = contents(new)[name]
        handle = os.open(place / "m" / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for start in range(0, len(content), 300):
            os.write(handle, content[start:start + 300])
            time.sleep(0.03 * n)
        os.fchmod(handle, 0o600)
        os.close(handle)


@pattern("rsync --inplace: write, ftruncate, close, utimes")
def rsync_inplace(place: Path, n: int, new: Generation) -> None:
    run("rsync", "-a", "--inplace", "--ignore-times", f"{staged(place, n, new)}/", place / "m/")


@pattern("vim, backupcopy=yes: swap file noise, truncate, write, fchmod")
def vim_in_place(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (CERT, KEY):
        vim(place / "m" / name, source / name, "yes")
        gap(n)


def vim(path: Path, source: Path, copy: str) -> None:
    run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "--cmd",
        f"set backupcopy={copy} backupskip= writebackup directory=. updatecount=1",
        "-c", "%d", "-c", f"0read {source}", "-c", "wq!", path)


@pattern("shell: : > file, then cat >> file in pieces")
def shell_append(place: Path, n: int, new: Generation) -> None:
    source = staged(place, n, new)
    for name in (KEY, CERT):
        run("sh", "-c", ': >"$2"; head -c 700 "$1" >>"$2"; tail -c +701 "$1" >>"$2"', "sh",
            source / name, place / "m" / name)
        gap(n)


@pattern("a writer with mmap: nothing is told before munmap")
def mapped(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        content = contents(new)[name]
        with open(place / "m" / name, "r+b") as file:
            os.ftruncate(file.fileno(), len(content))
            with mmap.mmap(file.fileno(), len(content)) as area:
                file.close()
                gap(n)
                area[:] = content
                area.flush()


@pattern("a writer that never closes: MODIFY is all that is raised", silent=True)
def kept_open(place: Path, n: int, new: Generation) -> None:
    for name in (CERT, KEY):
        path, content = place / "m" / name, contents(new)[name]
        if path not in KEPT:
            KEPT[path] = os.open(path, os.O_WRONLY)
        os.ftruncate(KEPT[path], 0)
        os.pwrite(KEPT[path], content, 0)
        os.fsync(KEPT[path])
        gap(n)
    if n >= 3:
        for name in (CERT, KEY):
            os.close(KEPT.pop(place / "m" / name))
