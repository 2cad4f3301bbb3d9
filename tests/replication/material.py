"""The sets of a campaign, good ones and those that a source refuses."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.standin import Authority
from tests.standin.pki import Pair, write_material

from .schedule import Fault


@dataclass(frozen=True)
class MaterialSet:
    """The three files of a material: the certificates of its CA bundle, and a leaf."""

    authorities: tuple[Authority, ...]
    leaf: Pair

    @property
    def bundle(self) -> str:
        return "".join(one.certificate.read_text() for one in self.authorities)

    def sha256(self) -> str:
        """The fingerprint of the leaf, as status shows it."""
        printed = subprocess.run(
            ["openssl", "x509", "-in", str(self.leaf.certificate), "-noout", "-fingerprint",
             "-sha256"], capture_output=True, text=True, check=True).stdout
        return printed.split("=")[1].strip().replace(":", "").lower()

    def write(self, directory: Path, scratch: Path) -> None:
        bundle = scratch / "bundle.pem"
        bundle.write_text(self.bundle)
        write_material(directory, bundle, self.leaf)


def wrong_set(fault: Fault, good: MaterialSet, scratch: Path, number: int) -> MaterialSet:
    """A set that is valid in itself, for a source that accepts the good one."""
    if fault == "other-subject":
        return MaterialSet(good.authorities, good.authorities[-1].issue_client(f"other-{number}"))
    foreign = Authority(scratch / f"foreign-{number}", f"Foreign CA {number}")
    known = good.authorities if fault == "other-issuer" else ()
    return MaterialSet((*known, foreign), foreign.issue_client(subject=good.leaf.subject))
