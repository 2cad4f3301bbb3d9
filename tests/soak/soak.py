"""One daemon with all that can happen to it, at a hundred times the usual pace."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.rotation.pattern import plain
from tests.standin import Workspace

from .clients import Clients
from .material import USABLE, Material
from .sample import Sample, started, take
from .scene import EXTRAS, STEADY, Scene

SAMPLE_SECONDS = 5.0
STARTED = "--skip-slave-start=OFF"  # replication goes on with the server


class Soak:
    def __init__(self, build: Path, workspace: Workspace, seed: int,
                 rest_seconds: float = 60) -> None:
        self.samples: list[Sample] = []
        self.events: Counter[str] = Counter()
        self.patterns: Counter[str] = Counter()
        self.scene = Scene(build, workspace)
        self._choice = random.Random(seed)
        self._rest_seconds = rest_seconds
        self._clients = Clients(self.scene.service, self._choice)
        self._next: list[int] = []
        self._rotations = self._imports = 0
        self._begun = time.monotonic()
        # How often each happens, in relation to the others.
        self._events: dict[Callable[[], None], int] = {
            self._rotate: 60, self._damage: 12, self._kill_importer: 6, self._kill_watcher: 2,
            self._restart_server: 3, self._restart_source: 1, self._change_clusters: 8,
            self._reload_the_same: 4, self._reload_by_signal: 3, self._refuse: 4,
            self._change_rollout: 2, self._clients.come: 20, self._clients.go: 15,
            self._clients.ask: 15, self._clients.send_garbage: 5, self._clients.flood: 2}

    def run(self, seconds: float, tell: Callable[[str], None]) -> None:
        self.scene.start()
        self._begun = time.monotonic()
        end, rest, sample = self._begun + seconds, 0.0, 0.0
        while (now := time.monotonic()) < end:
            if now >= rest:
                self._rest()
                rest = time.monotonic() + self._rest_seconds
                tell(f"{self.samples[-1].row()}")
            elif now >= sample:
                self._take(rest=False)
                sample = now + SAMPLE_SECONDS
            event = self._choice.choices(list(self._events), list(self._events.values()))[0]
            event()
            self.events[event.__name__.strip("_")] += 1
            self._clients.read()
        self._rest()
        tell(f"{self.samples[-1].row()}")

    def _take(self, *, rest: bool) -> None:
        self.samples.append(take(
            self.scene.service, seconds=time.monotonic() - self._begun, rest=rest,
            rotations=self._rotations, imports=self._imports))

    def _rest(self) -> None:
        for material in self.scene.materials:
            while not material.is_done:
                self._replace(material)
        self._clients.close()
        self.scene.rest()
        self._imports = sum(int(str(server.sql("SELECT COUNT(*) FROM standin.imports")[0][0]))
                            for server in self.scene.servers)
        kept: list[Sample] = []

        def steady() -> bool:
            self._take(rest=True)
            kept.append(self.samples.pop())
            last = {(one.descriptors, one.processes) for one in kept[-STEADY:]}
            return len(kept) >= STEADY and len(last) == 1

        self.scene.wait(steady, "the number of descriptors does not settle")
        self.samples.append(kept[-1])

    def _rotate(self) -> None:
        material = self._choice.choice(self.scene.materials)
        if not material.is_done:
            self._replace(material)
        elif not self._begin_pattern(material):
            return  # it may be damaged
        if self._choice.random() < 0.7:
            self.scene.converge(material.name)

    def _replace(self, material: Material) -> None:
        material.rotate()
        self._rotations += 1

    def _begin_pattern(self, material: Material) -> bool:
        """The first material stays in its place, so that its watch process lives all the time."""
        if not self._next:
            self._next = self._choice.sample(range(len(USABLE)), len(USABLE))
        stays = material is self.scene.materials[0]
        number = next((one for one in self._next if not stays or USABLE[one].layout is plain),
                      self._next[0])
        pattern = USABLE[number]
        if material.may_keep_place(pattern) and (stays or self._choice.random() < 0.5):
            material.keep_place(pattern)
        elif not stays:
            material.become(pattern)
            self.scene.reload()
        else:
            return False  # what is left of the round is for the others
        self._next.remove(number)
        self._rotations += 1
        self.patterns[pattern.name] += 1
        return True

    def _damage(self) -> None:
        """Not within a pattern: sed(1) makes no set of an empty file."""
        material = self._choice.choice(self.scene.materials)
        if material.is_done:
            material.damage(self._choice)

    def _kill_importer(self) -> None:
        with self.scene.service.varlink() as client:
            client.call("Import", force=True)
        for importer in self.scene.service.importers():
            self._kill(importer)

    def _kill_watcher(self) -> None:
        """Not the oldest one, which is the first material's."""
        watchers = sorted(self.scene.service.watchers(), key=started)
        if len(watchers) > 1:
            self._kill(self._choice.choice(watchers[1:]))

    def _kill(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _restart_server(self) -> None:
        server = self._choice.choice(self.scene.servers)
        server.kill() if self._choice.random() < 0.5 else server.stop()
        server.start([STARTED])

    def _restart_source(self) -> None:
        self.scene.source.stop()
        self.scene.source.start()

    def _change_clusters(self) -> None:
        self.scene.extras ^= set(self._choice.sample(range(EXTRAS), self._choice.randint(1, 3)))
        self.scene.reload()

    def _reload_the_same(self) -> None:
        self.scene.reload()

    def _reload_by_signal(self) -> None:
        os.kill(self.scene.service.pid, signal.SIGHUP)

    def _refuse(self) -> None:
        text = self.scene.configuration()
        wrong = self._choice.choice((
            text + "colour = red\n", text.replace("[daemon]", "[demon]"),
            text[:len(text) // 2] + "\n[", text.replace("port = ", "port = x")))
        self.scene.service.configure(wrong)
        done = self.scene.service.ctl("reload")
        assert done.returncode != 0, f"accepted: {wrong}"
        self.scene.configure()

    def _change_rollout(self) -> None:
        self.scene.rollout = self._choice.choice(("parallel", "canary"))
        self.scene.parallel = self._choice.choice((1, 2, 32))
        self.scene.reload()
