"""Rotations of a material under load and faults, and what must hold after each and at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.standin import Authority, Load
from tests.standin.client import SqlError
from tests.standin.make import Make

from .cluster import Cluster
from .configuration import CANARY
from .faults import Faults, calls_in_doubt
from .material import MaterialSet, wrong_set
from .person import PersonsStop
from .scene import Scene
from .schedule import DURING, WRONG, Guard, Mode, Rotation, schedule
from .wrong_set import WrongSet

SECONDS = 60  # for what takes one or two on an idle machine


class Campaign:
    def __init__(self, build: Path, make: Make, mode: Mode, *, rotations: int, seed: int,
                 clusters: int, auto_position: bool, guards: tuple[Guard, ...],
                 tell: Callable[[str], None]) -> None:
        self._planned = schedule(seed, mode, rotations, clusters, guards)
        self._scene = Scene(build, make, mode, clusters, auto_position)
        self._tell = tell
        self._title = (f"mode {mode} on {make.name} by {'GTID' if auto_position else 'file'}, "
                       f"{rotations} rotations, {clusters} clusters, seed {seed}")
        self._markers = 0
        self._crashed: list[Cluster] = []  # in this rotation, and not by a fault of it
        self._stop: PersonsStop | None = None  # while a person's stop of replication is in force

    def run(self) -> None:
        self._tell(self._title)
        began = time.monotonic()
        try:
            with self._scene, Load(self._scene.source) as self._load:
                self._faults = Faults(self._scene)
                self._begin()
                for planned in self._planned:
                    self._rotate(planned)
                self._finish()
        except BaseException:
            self._tell(f"failed: {self._title}")
            raise
        self._tell(f"all of it has held; {time.monotonic() - began:.0f} s")

    def _begin(self) -> None:
        """The first set, with which a person starts replication."""
        scene = self._scene
        self._issuer = scene.authority
        self._set = MaterialSet((self._issuer,), self._issuer.issue_client("leaf-0"))
        scene.source.require_subject(self._set.leaf.subject)
        scene.configure("none")
        self._write(self._set)
        scene.service.start()
        self._until("the first set is imported", lambda: self._is_current(self._set))
        for cluster in scene.clusters:
            if cluster.is_stopped():
                cluster.aurora.sql("CALL mysql.rds_start_replication()")
        self._converge()
        scene.delay_files()

    def _rotate(self, planned: Rotation) -> None:
        began = time.monotonic()
        if self._stop and not self._stop.may_outlast(planned):
            self._end_stop()
        done = ["still stopped"] if self._stop else []
        self._scene.configure(planned.guard)
        self._scene.reload()
        if planned.fault in WRONG:
            done.append(self._try_wrong_set(planned))
        self._set = self._next_set(planned)
        if planned.fault == "disk-full":
            done.append(self._try_full_disk(planned))
        elif planned.fault == "person":
            done.append(self._let_a_person_stop(planned))
        else:
            self._write(self._set)
            if planned.fault in DURING:
                done.append(self._faults.inject(planned, self._set))
        self._converge()
        calls = self._count_calls(planned)
        if self._stop and planned.fault != "person":
            self._end_stop()
        done += [f"CALLs {calls}", f"{self._load.committed} rows",
                 f"{time.monotonic() - began:.1f} s"]
        self._tell(f"{planned}: {'; '.join(done)}")

    def _next_set(self, planned: Rotation) -> MaterialSet:
        """The source is ready for the set before it is written, and the old one no longer serves.

        Open connections of replicas go on.
        """
        source, old = self._scene.source, self._set
        if planned.step == "both":
            self._issuer = Authority(self._scene.workspace.path / f"ca-{planned.number}",
                                     f"Campaign CA {planned.number}")
            fresh = MaterialSet((old.authorities[-1], self._issuer), old.leaf)
            self._scene.trust(fresh)
        elif planned.step == "leaf":
            leaf = self._issuer.issue_client(f"leaf-{planned.number}")
            fresh = MaterialSet(old.authorities, leaf)
            self._scene.become(self._issuer)
            source.require_subject(fresh.leaf.subject, end_dumps=False)
        else:
            fresh = MaterialSet(old.authorities[-1:], old.leaf)
            self._scene.trust(fresh)
        return fresh

    def _write(self, material: MaterialSet) -> None:
        self._scene.mark()
        material.write(self._scene.service.material, self._scene.workspace.path)

    def _try_full_disk(self, planned: Rotation) -> str:
        """The stop cannot be written down: nothing is stopped, and nothing imported."""
        clusters = self._scene.clusters
        before = [cluster.footprint() for cluster in clusters]
        tried = slice(CANARY, CANARY + 1) if planned.guard == "canary" else slice(None)
        self._scene.disk.fill()
        self._write(self._set)
        self._until("a stop cannot be recorded", lambda: all(
            one["outcome"] == "record_failed" for one in self._scene.statuses()[tried]))
        self._must(before == [cluster.footprint() for cluster in clusters],
                   "replication was touched without a note")
        self._scene.disk.clear()
        return "nothing stopped"

    def _let_a_person_stop(self, planned: Rotation) -> str:
        """The set is imported, and replication stays as the person has left it: see _end_stop()."""
        number = planned.cluster
        if planned.guard == "canary" and number == CANARY:  # it would prove nothing
            number = len(self._scene.clusters) - 1
        self._stop = stop = PersonsStop(self._scene.clusters[number])
        self._write(self._set)
        for last in False, True:
            self._until("the set is current", lambda: self._is_current(self._set))
            self._must(stop.holds(), "replication that a person has stopped is touched")
            self._until("status says what to do", lambda: stop.is_told(self._scene.statuses()))
            if not last:
                self._scene.service.kill()
                self._scene.service.start()
        return "stays stopped"

    def _end_stop(self) -> None:
        """The person starts replication, which nobody else has."""
        assert self._stop is not None
        self._must(self._stop.holds(), "replication that a person has stopped is touched")
        self._stop.end()
        self._stop = None

    def _try_wrong_set(self, planned: Rotation) -> str:
        material = wrong_set(planned.fault, self._set, self._scene.workspace.path,
                             planned.number)
        wrong = WrongSet(planned.guard, material, self._set, self._scene.clusters)
        self._write(material)
        self._until("the wrong set has met its end", lambda: wrong.handled(self._scene.statuses()))
        return {"probe": "refused", "canary": "stopped at the canary", "rollback": "undone",
                "none": "told"}[planned.guard]

    def _converge(self) -> None:
        """The daemon reports the set, each replica has connected with it, and can do so again."""
        running = [cluster for cluster in self._scene.clusters
                   if self._stop is None or cluster is not self._stop.cluster]
        self._until("the set is current", lambda: self._is_current(self._set))
        self._until("replication runs", lambda: all(
            cluster.replicates() for cluster in running))
        self._until("each replica has connected since", lambda:
                    self._scene.connections() >= len(running))
        self._until("no stop is on record", lambda: not any(
            (one["replication"] or {}).get("stopped_by_us") for one in self._scene.statuses()))
        self._scene.source.end_dumps()
        self._markers += 1
        self._scene.source.sql(f"INSERT INTO app.t VALUES ({self._markers}, 'marker')")
        for cluster in running:
            if cluster.aurora.wait_for_row(self._markers, SECONDS) != "marker":
                raise AssertionError(f"{cluster.name} does not replicate: "
                                     f"{cluster.aurora.replication()}\n{self._report()}")

    def _is_current(self, material: MaterialSet) -> bool:
        status = self._scene.service.status()
        on_disk = status["materials"][0]
        return (on_disk["state"] == "valid"
                and on_disk["certificate"]["sha256"] == material.sha256()
                and on_disk["ca_count"] == len(material.authorities)
                and all(one["state"] == "current"
                        and one["imported_fingerprint"] == on_disk["fingerprint"]
                        for one in status["clusters"]))

    def _count_calls(self, planned: Rotation) -> str:
        """One CALL of the set in each cluster; one more where a fault has left one in doubt."""
        calls = [cluster.imports_of(self._set) for cluster in self._scene.clusters]
        for number, count in enumerate(calls):
            cluster = self._scene.clusters[number]
            more = calls_in_doubt(planned, number) + self._crashed.count(cluster)
            self._must(1 <= count <= 1 + more, f"{count} CALLs in {cluster.name}")
        self._crashed.clear()
        return " ".join(map(str, calls))

    def _finish(self) -> None:
        """Every row of the source is in each replica, once."""
        if self._stop:
            self._end_stop()
        for cluster in self._scene.clusters:
            rows = self._load.compare(cluster.aurora, SECONDS)
        self._tell(f"{rows} rows of the source, each once in each replica")

    def _until(self, what: str, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not self._is_reached(reached):
            self._must(time.monotonic() < end, f"not within {SECONDS} s: {what}")
            time.sleep(0.02)

    def _is_reached(self, reached: Callable[[], bool]) -> bool:
        """A replica that has ended by itself is started: MariaDB crashes now and then in a CALL."""
        ended = [cluster for cluster in self._scene.clusters if not cluster.aurora.running]
        for cluster in ended:
            log = cluster.aurora.error_log()[-2000:]
            self._tell(f"{cluster.name} has crashed by itself:\n{log}")
            cluster.crash()
        self._crashed += ended
        try:
            return reached()
        except SqlError:
            if all(cluster.aurora.running for cluster in self._scene.clusters):
                raise
            return False

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            raise AssertionError(f"{what}\n{self._report()}")

    def _report(self) -> str:
        """What a person needs for the reason of a failure."""
        replicas = [f"{cluster.name}: {_brief(cluster)}" for cluster in self._scene.clusters]
        service = self._scene.service
        return "\n".join([*replicas, service.ctl("status").stdout, service.log()[-6000:]])


def _brief(cluster: Cluster) -> str:
    if not cluster.aurora.running:
        return f"not running\n{cluster.aurora.error_log()[-3000:]}"
    status = cluster.aurora.replication()
    return " ".join(f"{name}={status.get(name)}" for name in (
        "Replica_IO_Running", "Replica_SQL_Running", "Last_IO_Errno", "Last_IO_Error",
        "Last_SQL_Errno", "Last_SQL_Error")) + f" {cluster.aurora.history()[-8:]}"
