"""Tools that do not change files but symbolic links."""

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


def replace_link(link: Path, target: str | Path) -> None:
    """symlink with a temporary name, rename: ln -sf of coreutils since 8.31."""
    fresh = link.with_name(f"{link.name}.tmp")
    os.symlink(target, fresh)
    os.rename(fresh, link)


def exchange(one: Path, other: Path) -> None:
    if LIBC.renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


# certbot ------------------------------------------------------------------------------------------

def _archive(root: Path, n: int, new: Generation, reuse_key: bool = False) -> dict[str, str]:
    archive = root / "archive/x"
    if reuse_key:
        os.symlink("privkey0.pem", archive / f"privkey{n}.pem")
    else:
        overwrite(archive / f"privkey{n}.pem", new.key, 0o600)
    for kind, content in (("cert", new.cert), ("chain", new.ca), ("fullchain", new.cert + new.ca)):
        overwrite(archive / f"{kind}{n}.pem", content)
    return {kind: f"../../archive/x/{kind}{n}.pem"
            for kind in ("cert", "privkey", "chain", "fullchain")}


def _certbot_layout(root: Path, first: Generation) -> None:
    for directory in ("live", "archive"):
        (root / directory / "x").mkdir(parents=True)
        (root / directory).chmod(0o700)
    for kind, target in _archive(root, 0, first).items():
        os.symlink(target, root / "live/x" / f"{kind}.pem")


def _renew(root: Path, n: int, targets: dict[str, str]) -> None:
    live = root / "live/x"
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
def certbot(root: Path, n: int, new: Generation) -> None:
    _renew(root, n, _archive(root, n, new))


@pattern("certbot renew --reuse-key: the new key is a link to the old one", layout=_certbot_layout,
         files=LIVE, fresh="cert")
def certbot_reuse_key(root: Path, n: int, new: Generation) -> None:
    _renew(root, n, _archive(root, n, new, reuse_key=True))


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


def _volume_layout(root: Path, first: Generation) -> None:
    (root / "m").mkdir()
    _volume(root / "m", 0, first)


@pattern("kubelet, cert-manager csi: ..data is renamed, the visible names do not change",
         layout=_volume_layout, files=SECRET, fresh="all")
def kubelet(root: Path, n: int, new: Generation) -> None:
    _volume(root / "m", n, new)


@pattern("kubelet, terminated before it deletes the old directory: only the rename of ..data",
         layout=_volume_layout, files=SECRET, fresh="all")
def kubelet_interrupted(root: Path, n: int, new: Generation) -> None:
    _volume(root / "m", n, new, keep=True)


def _hops_layout(root: Path, first: Generation) -> None:
    for directory in ("m", "vol"):
        (root / directory).mkdir()
    _volume(root / "vol", 0, first)
    for name in ("ca.crt", "tls.crt", "tls.key"):
        os.symlink(f"../vol/{name}", root / "m" / name)


@pattern("links into a volume of kubelet (istio#61161): the directory of the links does not change",
         layout=_hops_layout, files=SECRET, fresh="all")
def istio_hops(root: Path, n: int, new: Generation) -> None:
    _volume(root / "vol", n, new)


# releases -----------------------------------------------------------------------------------------

def _release_layout(root: Path, first: Generation) -> None:
    write_set(root / "rel-0", first)
    os.symlink("rel-0", root / "current")


@pattern("ln -sfn release current, then rm -rf of the old release (envoy#10979)",
         layout=_release_layout, files=CURRENT, fresh="all")
def ln_sfn(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"rel-{n}", new)
    run("ln", "-sfn", f"rel-{n}", root / "current")
    gap(n)
    shutil.rmtree(root / f"rel-{n - 1}")


@pattern("ln -sfn of coreutils before 8.31: unlink, symlink", layout=_release_layout, files=CURRENT)
def ln_sfn_old(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"rel-{n}", new)
    os.unlink(root / "current")
    gap(n)
    os.symlink(f"rel-{n}", root / "current")


@pattern("mv -T tmp current (Capistrano)", layout=_release_layout, files=CURRENT)
def mv_t(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"rel-{n}", new)
    os.symlink(f"rel-{n}", root / "current.tmp")
    run("mv", "-T", root / "current.tmp", root / "current")


@pattern("the link first, its target later: a dangling link", layout=_release_layout, files=CURRENT)
def dangling(root: Path, n: int, new: Generation) -> None:
    replace_link(root / "current", f"rel-{n}")
    gap(n)
    write_set(root / "filling", new)
    os.rename(root / "filling", root / f"rel-{n}")


@pattern("the link first, the files of its target directory later", layout=_release_layout,
         files=CURRENT)
def filled_late(root: Path, n: int, new: Generation) -> None:
    replace_link(root / "current", f"rel-{n}")
    gap(n)
    write_set(root / f"rel-{n}", new)


def _dehydrated_layout(root: Path, first: Generation) -> None:
    write_set(root / "m", first)
    for name in (CA, CERT, KEY):
        (root / "m" / name).rename(root / "m" / f"0-{name}")
        os.symlink(f"0-{name}", root / "m" / name)


@pattern("dehydrated: ln -sf file by file", layout=_dehydrated_layout, fresh="all")
def dehydrated(root: Path, n: int, new: Generation) -> None:
    source = write_set(root / "work", new)
    for name in (KEY, CERT, CA):
        (source / name).rename(root / "m" / f"{n}-{name}")
    for name in (KEY, CERT, CA):
        run("ln", "-sf", f"{n}-{name}", root / "m" / name)
        gap(n)


def _profile_layout(root: Path, first: Generation) -> None:
    write_set(root / "store/0", first)
    (root / "profiles").mkdir()
    os.symlink(root / "store/0", root / "profiles/system-0-link")
    os.symlink("system-0-link", root / "profiles/system")
    os.symlink(root / "profiles/system", root / "current")


@pattern("Nix: an absolute link to a link to a link to a read-only directory",
         layout=_profile_layout, files=CURRENT)
def nix_profile(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"store/{n}", new).chmod(0o555)
    os.symlink(root / f"store/{n}", root / f"profiles/system-{n}-link")
    replace_link(root / "profiles/system", f"system-{n}-link")


@pattern("RENAME_EXCHANGE of two links", layout=_release_layout, files=CURRENT)
def exchange_links(root: Path, n: int, new: Generation) -> None:
    write_set(root / f"rel-{n}", new)
    os.symlink(f"rel-{n}", root / "next")
    exchange(root / "next", root / "current")
    os.unlink(root / "next")


@pattern("a file becomes a link, then a file again")
def file_or_link(root: Path, n: int, new: Generation) -> None:
    source = write_set(root / f"rel-{n}", new)
    for name in (CERT, KEY):
        if n % 2:
            replace_link(root / "m" / name, source / name)
        else:
            os.rename(source / name, root / "m" / name)
        gap(n)


@pattern("the certificate is temporarily a link to itself, a FIFO, a directory")
def no_file_for_a_while(root: Path, n: int, new: Generation) -> None:
    directory = root / "m"
    source = write_set(root / f"new-{n}", new)
    os.unlink(directory / CERT)
    (lambda: os.symlink(CERT, directory / CERT), lambda: os.mkfifo(directory / CERT),
     lambda: os.mkdir(directory / CERT))[(n + 1) % 3]()
    os.rename(source / KEY, directory / KEY)
    gap(n)
    if (directory / CERT).is_dir():
        os.rmdir(directory / CERT)
    os.rename(source / CERT, directory / CERT)


def _parent_layout(root: Path, first: Generation) -> None:
    (root / "rel-0/public").mkdir(parents=True)
    write_set(root / "rel-0/tls", first)
    os.symlink("rel-0/public", root / "current")


@pattern("the path contains a link followed by ..: link/../file", layout=_parent_layout,
         files=(f"current/../tls/{CA}", f"current/../tls/{CERT}", f"current/../tls/{KEY}"))
def up_from_link(root: Path, n: int, new: Generation) -> None:
    (root / f"rel-{n}/public").mkdir(parents=True)
    if n % 2:
        write_set(root / f"rel-{n}/tls", new)
        replace_link(root / "current", f"rel-{n}/public")
    else:
        replace_link(root / "current", f"rel-{n}/public")
        gap(n)
        write_set(root / f"rel-{n}/tls", new)
