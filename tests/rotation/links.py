"""Tools that leave the files alone and turn symbolic links."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from .generation import Generation
from .pattern import CA, CERT, KEY, gap, overwrite, pattern, run, write_set

LIVE = ("live/x/chain.pem", "live/x/cert.pem", "live/x/privkey.pem")
SECRET = ("m/ca.crt", "m/tls.crt", "m/tls.key")
CURRENT = (f"current/{CA}", f"current/{CERT}", f"current/{KEY}")
AT_FDCWD, RENAME_EXCHANGE = -100, 2
LIBC = ctypes.CDLL(None, use_errno=True)


def turn(link: Path, target: str | Path) -> None:
    """symlink under a temporary name, rename: coreutils' ln -sf since 8.31."""
    fresh = link.with_name(f"{link.name}.tmp")
    os.symlink(target, fresh)
    os.rename(fresh, link)


def exchange(one: Path, other: Path) -> None:
    if LIBC.renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


# certbot ------------------------------------------------------------------------------------------

def _archive(place: Path, n: int, new: Generation, reuse_key: bool = False) -> dict[str, str]:
    archive = place / "archive/x"
    if reuse_key:
        os.symlink("privkey0.pem", archive / f"privkey{n}.pem")
    else:
        overwrite(archive / f"privkey{n}.pem", new.key, 0o600)
    for kind, content in (("cert", new.cert), ("chain", new.ca), ("fullchain", new.cert + new.ca)):
        overwrite(archive / f"{kind}{n}.pem", content)
    return {kind: f"../../archive/x/{kind}{n}.pem"
            for kind in ("cert", "privkey", "chain", "fullchain")}


def _certbot_layout(place: Path, first: Generation) -> None:
    for directory in ("live", "archive"):
        (place / directory / "x").mkdir(parents=True)
        (place / directory).chmod(0o700)
    for kind, target in _archive(place, 0, first).items():
        os.symlink(target, place / "live/x" / f"{kind}.pem")


def _renew(place: Path, n: int, targets: dict[str, str]) -> None:
    live = place / "live/x"
    for kind in targets:
        os.symlink(os.readlink(live / f"{kind}.pem"), live / f"previous_{kind}.pem")
    for kind, target in targets.items():
        os.unlink(live / f"{kind}.pem")
        gap(n)
        os.symlink(target, live / f"{kind}.pem")
    for kind in targets:
        os.unlink(live / f"previous_{kind}.pem")


@pattern("certbot renew: four times unlink, symlink", layout=_certbot_layout, files=LIVE,
         fresh="all")
def certbot(place: Path, n: int, new: Generation) -> None:
    _renew(place, n, _archive(place, n, new))


@pattern("certbot renew --reuse-key: the new key is a link to the old one", layout=_certbot_layout,
         files=LIVE, fresh="cert")
def certbot_reuse_key(place: Path, n: int, new: Generation) -> None:
    _renew(place, n, _archive(place, n, new, reuse_key=True))


# kubelet's AtomicWriter ---------------------------------------------------------------------------

def _volume(directory: Path, n: int, new: Generation, *, keep: bool = False) -> None:
    fresh = directory / f"..2026_{n}"
    fresh.mkdir(mode=0o700)
    fresh.chmod(0o755)
    for name, content in (("ca.crt", new.ca), ("tls.crt", new.cert), ("tls.key", new.key)):
        overwrite(fresh / name, content)
        (fresh / name).chmod(0o644)
    os.symlink(fresh.name, directory / "..data_tmp")
    old = directory / os.readlink(directory / "..data") if n > 0 else None
    os.rename(directory / "..data_tmp", directory / "..data")
    if old is not None:
        if not keep:
            shutil.rmtree(old)
        return
    for name in ("ca.crt", "tls.crt", "tls.key"):
        os.symlink(f"..data/{name}", directory / name)


def _volume_layout(place: Path, first: Generation) -> None:
    (place / "m").mkdir()
    _volume(place / "m", 0, first)


@pattern("kubelet, cert-manager csi: ..data is renamed, no visible name ever changes",
         layout=_volume_layout, files=SECRET, fresh="all")
def kubelet(place: Path, n: int, new: Generation) -> None:
    _volume(place / "m", n, new)


@pattern("kubelet, ended before it deleted the old directory: the rename of ..data is all there is",
         layout=_volume_layout, files=SECRET, fresh="all")
def kubelet_interrupted(place: Path, n: int, new: Generation) -> None:
    _volume(place / "m", n, new, keep=True)


def _hops_layout(place: Path, first: Generation) -> None:
    for directory in ("m", "vol"):
        (place / directory).mkdir()
    _volume(place / "vol", 0, first)
    for name in ("ca.crt", "tls.crt", "tls.key"):
        os.symlink(f"../vol/{name}", place / "m" / name)


@pattern("own links into a volume of kubelet (istio#61161): the directory watched stays as it is",
         layout=_hops_layout, files=SECRET, fresh="all")
def istio_hops(place: Path, n: int, new: Generation) -> None:
    _volume(place / "vol", n, new)


# releases -----------------------------------------------------------------------------------------

def _release_layout(place: Path, first: Generation) -> None:
    write_set(place / "rel-0", first)
    os.symlink("rel-0", place / "current")


@pattern("ln -sfn release current, then rm -rf of the old release (envoy#10979)",
         layout=_release_layout, files=CURRENT, fresh="all")
def ln_sfn(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"rel-{n}", new)
    run("ln", "-sfn", f"rel-{n}", place / "current")
    gap(n)
    shutil.rmtree(place / f"rel-{n - 1}")


@pattern("ln -sfn of coreutils before 8.31: unlink, symlink", layout=_release_layout, files=CURRENT)
def ln_sfn_old(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"rel-{n}", new)
    os.unlink(place / "current")
    gap(n)
    os.symlink(f"rel-{n}", place / "current")


@pattern("mv -T tmp current (Capistrano)", layout=_release_layout, files=CURRENT)
def mv_t(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"rel-{n}", new)
    os.symlink(f"rel-{n}", place / "current.tmp")
    run("mv", "-T", place / "current.tmp", place / "current")


@pattern("the link first, its target later: current dangles", layout=_release_layout, files=CURRENT)
def dangling(place: Path, n: int, new: Generation) -> None:
    turn(place / "current", f"rel-{n}")
    gap(n)
    write_set(place / "filling", new)
    os.rename(place / "filling", place / f"rel-{n}")


@pattern("the link first, its target's directory is filled later", layout=_release_layout,
         files=CURRENT)
def filled_late(place: Path, n: int, new: Generation) -> None:
    turn(place / "current", f"rel-{n}")
    gap(n)
    write_set(place / f"rel-{n}", new)


def _dehydrated_layout(place: Path, first: Generation) -> None:
    write_set(place / "m", first)
    for name in (CA, CERT, KEY):
        (place / "m" / name).rename(place / "m" / f"0-{name}")
        os.symlink(f"0-{name}", place / "m" / name)


@pattern("dehydrated: ln -sf file by file", layout=_dehydrated_layout, fresh="all")
def dehydrated(place: Path, n: int, new: Generation) -> None:
    source = write_set(place / "work", new)
    for name in (KEY, CERT, CA):
        (source / name).rename(place / "m" / f"{n}-{name}")
    for name in (KEY, CERT, CA):
        run("ln", "-sf", f"{n}-{name}", place / "m" / name)
        gap(n)


def _profile_layout(place: Path, first: Generation) -> None:
    write_set(place / "store/0", first)
    (place / "profiles").mkdir()
    os.symlink(place / "store/0", place / "profiles/system-0-link")
    os.symlink("system-0-link", place / "profiles/system")
    os.symlink(place / "profiles/system", place / "current")


@pattern("Nix: an absolute link to a link to a link to a read-only directory",
         layout=_profile_layout, files=CURRENT)
def nix_profile(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"store/{n}", new).chmod(0o555)
    os.symlink(place / f"store/{n}", place / f"profiles/system-{n}-link")
    turn(place / "profiles/system", f"system-{n}-link")


@pattern("RENAME_EXCHANGE of two links", layout=_release_layout, files=CURRENT)
def exchange_links(place: Path, n: int, new: Generation) -> None:
    write_set(place / f"rel-{n}", new)
    os.symlink(f"rel-{n}", place / "next")
    exchange(place / "next", place / "current")
    os.unlink(place / "next")


@pattern("a file becomes a link, and the next time a file again")
def file_or_link(place: Path, n: int, new: Generation) -> None:
    source = write_set(place / f"rel-{n}", new)
    for name in (CERT, KEY):
        if n % 2:
            turn(place / "m" / name, source / name)
        else:
            os.rename(source / name, place / "m" / name)
        gap(n)


@pattern("for a while the certificate is a link to itself, a FIFO, a directory")
def no_file_for_a_while(place: Path, n: int, new: Generation) -> None:
    directory = place / "m"
    source = write_set(place / f"new-{n}", new)
    os.unlink(directory / CERT)
    (lambda: os.symlink(CERT, directory / CERT), lambda: os.mkfifo(directory / CERT),
     lambda: os.mkdir(directory / CERT))[(n + 1) % 3]()
    os.rename(source / KEY, directory / KEY)
    gap(n)
    if (directory / CERT).is_dir():
        os.rmdir(directory / CERT)
    os.rename(source / CERT, directory / CERT)


def _parent_layout(place: Path, first: Generation) -> None:
    (place / "rel-0/public").mkdir(parents=True)
    write_set(place / "rel-0/tls", first)
    os.symlink("rel-0/public", place / "current")


@pattern("the path goes through a link and up again: link/../file", layout=_parent_layout,
         files=(f"current/../tls/{CA}", f"current/../tls/{CERT}", f"current/../tls/{KEY}"))
def up_from_link(place: Path, n: int, new: Generation) -> None:
    (place / f"rel-{n}/public").mkdir(parents=True)
    if n % 2:
        write_set(place / f"rel-{n}/tls", new)
        turn(place / "current", f"rel-{n}/public")
    else:
        turn(place / "current", f"rel-{n}/public")
        gap(n)
        write_set(place / f"rel-{n}/tls", new)
