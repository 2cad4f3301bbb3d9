"""The files of a material, which the patterns of tests/rotation replace in turn."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

# The modules register their patterns.
from tests.rotation import directories, in_place, links, renaming  # noqa: F401
from tests.rotation.generation import Generation, Pool
from tests.rotation.pattern import PATTERNS, Pattern, plain

ROTATIONS = 3  # of one pattern: it has other pauses in each

USABLE = [one for one in PATTERNS
          if not (one.mounts or one.account or one.starts_empty) and one.visible]
RESTING = Pattern("resting", "three regular files", plain, lambda root, n, new: plain(root, new))


class Material:
    def __init__(self, name: str, directory: Path, pool: Pool) -> None:
        self.name = name
        self._directory = directory
        self._pool = pool
        self._roots = 0
        self._root = directory
        self._done = 0
        self._begin(RESTING, directory / "resting")

    @property
    def files(self) -> list[Path]:
        return [self._root / path for path in self._pattern.files]

    @property
    def generation(self) -> Generation:
        return self._generations[self._done]

    @property
    def fingerprint(self) -> str:
        return self.generation.fingerprint

    @property
    def is_done(self) -> bool:
        """With the rotations of its pattern."""
        return self._done == len(self._generations) - 1

    def may_keep_place(self, pattern: Pattern) -> bool:
        return self._pattern.layout is pattern.layout is plain

    def describe(self) -> str:
        return f"{self.name}: {self._pattern.name}, rotation {self._done}, {self.fingerprint[:12]}"

    def become(self, pattern: Pattern) -> None:
        """Begins anew elsewhere, with the first set of the pattern. A reload must follow."""
        self._roots += 1
        self._leave()
        self._begin(pattern, self._directory / str(self._roots))

    def keep_place(self, pattern: Pattern) -> None:
        """The files stay where they are; both patterns begin with three regular files."""
        self._clean_up()
        self._begin(pattern, self._root)

    def become_plain(self) -> None:
        """As at the beginning, with another set. A reload must follow."""
        self._leave()
        self._begin(RESTING, self._directory / "resting")

    def rotate(self) -> None:
        number = self._done + 1
        self._pattern.rotate(self._root, number, self._generations[number])
        self._done = number

    def damage(self, choice: random.Random) -> str:
        """What is on disk is no set, until the next pattern begins."""
        ca, cert, key = self.files
        path = ca if self._pattern.fresh == "ca" else cert
        content = path.read_bytes()
        kind = choice.choice(("empty", "cut", "changed", "key"))
        broken = {"empty": b"", "cut": content[:len(content) // 2],
                  "changed": content.replace(b"M", b"N", 40), "key": key.read_bytes()}[kind]
        with open(path, "r+b") as file:
            file.write(broken)
            os.ftruncate(file.fileno(), len(broken))
        return kind

    def _begin(self, pattern: Pattern, root: Path) -> None:
        self._pattern, self._root, self._done = pattern, root, 0
        self._generations = self._pool.series(pattern.fresh, ROTATIONS + 1)
        root.mkdir(parents=True, exist_ok=True)
        pattern.layout(root, self._generations[0])

    def _leave(self) -> None:
        """A directory that the daemon watches may go at any time."""
        if self._root.name != "resting":
            shutil.rmtree(self._root)
        else:
            self._clean_up()

    def _clean_up(self) -> None:
        """What the tools have left, and links in place of files."""
        for path in self._root.iterdir():
            if path.name != "m" and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != "m":
                path.unlink()
        for path in (self._root / "m").iterdir():
            if path.name not in ("ca.pem", "client-cert.pem", "client-key.pem"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            elif path.is_symlink():
                path.unlink()
