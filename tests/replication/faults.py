"""What happens to the programs and networks of a scene while a set is imported."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from .cluster import Cluster
from .material import MaterialSet
from .scene import Scene
from .schedule import Phase, Rotation

SHORT = 0.1  # seconds: the longest time between a phase and the fault
OUTAGE = 0.5  # the longest time that something is away
PHASE_SECONDS = 20


class Faults:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def inject(self, planned: Rotation, material: MaterialSet) -> str:
        """After the set was written: waits for the phase, then does it. Returns what was hit."""
        cluster = self._scene.clusters[planned.cluster]
        self._wait_for(planned.phase, cluster, material)
        time.sleep(planned.moment * SHORT)
        match planned.fault:
            case "manager":
                return self._kill_manager()
            case "importer":
                return self._kill_importers()
            case "replica":
                cluster.crash()
            case "source":
                self._scene.source.kill()
                time.sleep(planned.moment * OUTAGE)
                self._scene.source.start()
                self._scene.newest_connection = 0  # the new process counts from 1
            case "cluster-network":
                self._cut(cluster.from_daemon, planned)
            case "source-network":
                self._cut(cluster.to_source, planned)
        return "hit"

    def _wait_for(self, phase: Phase, cluster: Cluster, material: MaterialSet) -> None:
        reached = {
            "importer": lambda: bool(self._scene.service.importers()),
            "stopped": cluster.is_stopped,
            "call": cluster.aurora.in_call,
            "imported": lambda: cluster.imports_of(material) > 0,
        }[phase]
        end = time.monotonic() + PHASE_SECONDS
        # What is past by the time that it is looked for is reached, too.
        while not reached() and not cluster.imports_of(material):
            if time.monotonic() > end:
                raise AssertionError(f"{cluster.name}: no phase {phase}\n"
                                     f"{self._scene.service.ctl('status').stdout}\n"
                                     f"{self._scene.service.log()[-4000:]}")
            time.sleep(0.005)

    def _kill_manager(self) -> str:
        self._scene.service.kill()
        self._scene.service.start()
        return "hit"

    def _kill_importers(self) -> str:
        hit = 0
        for importer in self._scene.service.importers():
            with suppress(ProcessLookupError):
                os.kill(importer, signal.SIGKILL)
                hit += 1
        return f"hit {hit}"

    def _cut(self, network, planned: Rotation) -> None:
        network.refuse()
        network.interrupt("reset")
        time.sleep(planned.moment * OUTAGE)
        network.listen()


def calls_in_doubt(planned: Rotation, cluster: int) -> int:
    """How many more CALLs of its set a cluster may get by the fault."""
    if planned.fault in ("manager", "importer", "person"):
        return 1
    return int(planned.fault in ("replica", "cluster-network") and planned.cluster == cluster)
