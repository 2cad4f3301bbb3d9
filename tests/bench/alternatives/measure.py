"""The measurements, each a row with the values of each contestant. Contestants take turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.alternatives.contestant import Contestant, Task
from tests.bench.alternatives.host import Host, memory_mb, wakes
from tests.bench.fleet import ONE_WAY_MSEC
from tests.bench.round_trips import ONE_WAY

SETTLED_SECONDS = 1.0  # after this, the work that follows an import is done
LONG_CALL = 1.5        # seconds: all clients run at the same time
Values = dict[str, list[float]]


@dataclass(frozen=True)
class Row:
    """The values of each contestant, of which the lowest is the best. details: what was counted."""

    name: str
    title: str
    unit: str
    values: Values
    details: dict[str, list[str]] | None = None


class Measurement:
    def __init__(self, host: Host, contestants: Sequence[Contestant]) -> None:
        self.host = host
        self.contestants = contestants

    def row(self, name: str, title: str, unit: str = "") -> Row:
        return Row(name, title, unit, {contestant.name: [] for contestant in self.contestants})

    def tasks(self, clusters: int, port: int = 0) -> dict[Contestant, Task]:
        return {contestant: self.host.task(contestant.directory / "material",
                                           contestant.users(clusters), port=port)
                for contestant in self.contestants}

    @contextmanager
    def running(self, tasks: dict[Contestant, Task]) -> Iterator[None]:
        """In the block the first set is imported, and nothing more happens."""
        first = {}
        for contestant, task in tasks.items():
            first[contestant] = self.host.newest(task), self.host.write(task)
            contestant.start(task)
        for contestant, (before, pair) in first.items():
            self.host.wait(contestant, tasks[contestant], pair, before)
        time.sleep(SETTLED_SECONDS)
        yield
        for contestant in tasks:
            contestant.stop()

    def rotate(self, contestant: Contestant, task: Task,
               sample: list[float] | None = None) -> float:
        """Returns the seconds from the last rename to the last commit."""
        before = self.host.newest(task)
        pair = self.host.write(task)
        renamed = time.time()
        contestant.rotated()
        last = self.host.wait(contestant, task, pair, before, sample)
        time.sleep(SETTLED_SECONDS)
        done = self.host.newest(task) - before
        if done != len(task.users):
            print(f"{contestant.name}: {done} imports instead of {len(task.users)}",
                  file=sys.stderr)
        return last - renamed

    def latency(self, clusters: int, rounds: int, *, port: int = 0,
                then: Callable[[], list[Row]] = list) -> list[Row]:
        """then: what else is measured while all contestants run with these clusters."""
        where = "1 cluster" if port else f"{clusters} clusters, {2 * ONE_WAY_MSEC} ms away"
        times = self.row(f"rename-{clusters}", f"rename to last commit, {where}", "ms")
        processor = self.row(f"processor-{clusters}", "processor time of an import, "
                             f"{'alone' if clusters == 1 else f'one of {clusters}'}", "ms")
        tasks = self.tasks(clusters, port)
        with self.running(tasks):
            for _ in range(rounds):
                for contestant, task in tasks.items():
                    used = contestant.processor_seconds()
                    times.values[contestant.name].append(
                        self.rotate(contestant, task) * 1000)
                    used = contestant.processor_seconds() - used
                    processor.values[contestant.name].append(used * 1000 / clusters)
            return [times, processor, *then()]

    def wakes(self, seconds: float) -> list[Row]:
        row = self.row("wakes", f"wake-ups in {seconds:.0f} s at rest")
        watching = [one for one in self.contestants if one.name != "floor"]
        before = {contestant: wakes(contestant) for contestant in watching}
        time.sleep(seconds)
        for contestant, was in before.items():
            row.values[contestant.name].append(wakes(contestant) - was)
        return [row]

    def memory(self, clusters: int) -> list[Row]:
        """One contestant at a time: what two have in common would count half."""
        idle = self.row("memory-idle", f"memory at rest, {clusters} clusters", "MB")
        wave = self.row("memory-wave", f"memory, {clusters} imports at once", "MB")
        self.host.lengthen_call(LONG_CALL)
        for contestant, task in self.tasks(clusters).items():
            with self.running({contestant: task}):
                if contestant.name != "floor":
                    idle.values[contestant.name].append(memory_mb(contestant))
                sample: list[float] = []
                self.rotate(contestant, task, sample)
                wave.values[contestant.name].append(max(sample))
        self.host.reset_call()
        return [idle, wave]

    def round_trips(self) -> list[Row]:
        row = self.row("round-trips", "round trips of an import")
        counter = self.host.counter
        counter.to_server = counter.to_client = ONE_WAY
        for contestant, task in self.tasks(1, counter.port).items():
            first = len(counter.connections)
            with self.running({contestant: task}):
                pass
            row.values[contestant.name].append(
                sum(one.round_trips for one in counter.connections[first:]))
        return [row]
