"""New RSA keys of 2048 bits, of which the sessions of one run share a store.

A key costs 0.1 s of processor time, and the sessions make thousands. The variable TEST_KEYS is the
directory of the store; without it each key is generated. All keys of one process differ.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import subprocess
from pathlib import Path

_numbers = itertools.count()


def write_new_key(path: Path) -> None:
    """Writes it as PKCS8, for its owner only."""
    store = os.environ.get("TEST_KEYS")
    if not store:
        _generate(path)
        return
    stored = Path(store) / f"{next(_numbers)}.pem"
    with open(Path(store) / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stored.exists():
            fresh = stored.with_suffix(".new")
            _generate(fresh)
            fresh.rename(stored)
    shutil.copy(stored, path)


def _generate(path: Path) -> None:
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-out", str(path)], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
