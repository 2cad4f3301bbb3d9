"""The Debian package under test, and the same with a later version."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def packages(directory: Path) -> Path:
    """Returns the directory of both packages: $PACKAGES, set by tests/run, or newly built."""
    built = os.environ.get("PACKAGES")
    if built:
        directory = Path(built).resolve()
    else:
        subprocess.run([SOURCE / "tests" / "build-package", directory], check=True)
    _make_later(directory)
    return directory


def _make_later(directory: Path) -> None:
    """The same files with a higher version, to test the scripts of an upgrade."""
    package, = directory.glob("binlog-ssld_0*.deb")
    tree = directory / "later"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    version = subprocess.run(["dpkg-deb", "--field", package, "Version"], check=True,
                             capture_output=True, text=True).stdout.strip()
    control.write_text(control.read_text().replace(f"Version: {version}\n", "Version: 99\n"))
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree,
                    directory / "later.deb"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["rm", "-r", tree], check=True)
