"""Rows that are inserted into a source all the time, and the proof that a replica has each once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType

from .client import Value
from .server import Server
from .session import Disconnected, Session

TABLE = "app.numbers"
RETRY_SECONDS = 0.05
JOIN_SECONDS = 30  # a source that is paused holds the thread


class Load:
    """Inserts the ids 1, 2, 3, ... in this order, each once, also across restarts of the source.

    The table has no unique key, so that a row that is applied twice is there twice, and no error.
    """

    def __init__(self, source: Server, pause: float = 0.002) -> None:
        self.source = source
        self.committed = 0  # all ids up to this one, and perhaps the next one
        self._pause = pause
        self._stopping = threading.Event()
        self._abandoned = False  # also what became of the last row is of no interest
        self._thread = threading.Thread(target=self._insert_all, daemon=True)

    def start(self) -> None:
        self.source.sql(f"DROP TABLE IF EXISTS {TABLE};"
                        f"CREATE TABLE {TABLE} (id INT NOT NULL, text TEXT, KEY (id))")
        self._thread.start()

    def advance(self, rows: int = 5, seconds: float = 30) -> None:
        """Waits until so many more rows are committed."""
        goal, end = self.committed + rows, time.monotonic() + seconds
        while self.committed < goal:
            if time.monotonic() > end:
                raise AssertionError(f"{self.committed} rows, not {goal}, after {seconds} s")
            time.sleep(0.01)

    def stop(self, seconds: float = 30) -> int:
        """Returns the number of committed rows, which is exact: the source must run."""
        self._stopping.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise AssertionError(f"the source does not say whether row {self.committed + 1} exists")
        return self.committed

    def compare(self, replica: Server, seconds: float = 60) -> int:
        """Stops, waits for the replica, and returns the number of rows that both have once."""
        count = self.stop()
        expected = [[str(number), text_of(number)] for number in range(1, count + 1)]
        if (found := rows_of(self.source)) != expected:
            raise AssertionError(f"at the source: {difference(expected, found)}")
        end = time.monotonic() + seconds
        while replica.sql(f"SELECT COALESCE(MAX(id), 0) FROM {TABLE}") != [[str(count)]]:
            if time.monotonic() > end:
                raise AssertionError(f"the replica has not caught up after {seconds} s: "
                                     f"{difference(expected, rows_of(replica))}; "
                                     f"{replica.rows('SHOW REPLICA STATUS')}")
            time.sleep(0.05)
        if (found := rows_of(replica)) != expected:
            raise AssertionError(f"at the replica: {difference(expected, found)}")
        return count

    def _insert_all(self) -> None:
        session: Session | None = None
        unknown = False  # whether the next id is there
        while not self._abandoned and (unknown or not self._stopping.is_set()):
            number = self.committed + 1
            try:
                session = session or self._connect()
                if not unknown or session.ask(
                        f"SELECT COUNT(*) FROM {TABLE} WHERE id = {number}") == "0":
                    unknown = True
                    session.ask(f"INSERT INTO {TABLE} VALUES ({number}, '{text_of(number)}');"
                                "SELECT ROW_COUNT()")
                unknown = False
                self.committed = number
                self._stopping.wait(self._pause)
            except Disconnected:
                if session is not None:
                    session.close()
                session = None
                time.sleep(RETRY_SECONDS)
        if session is not None:
            session.close()

    def _connect(self) -> Session:
        """The lock: what the connection before has begun has come to its end."""
        session = Session(self.source.client())
        try:
            if session.ask("SELECT GET_LOCK('standin.load', 20)") == "1":
                return session
        except Disconnected:
            session.close()
            raise
        session.close()
        raise Disconnected

    def __enter__(self) -> Load:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._abandoned = True
        self._stopping.set()
        self._thread.join(JOIN_SECONDS)


def text_of(number: int) -> str:
    return f"row {number}"


def rows_of(server: Server) -> list[list[Value]]:
    return server.sql(f"SELECT id, text FROM {TABLE} ORDER BY id, text")


def difference(expected: list[list[Value]], found: list[list[Value]]) -> str:
    times = Counter(int(row[0] or 0) for row in found)
    missing = [number for number in range(1, len(expected) + 1) if number not in times]
    doubled = sorted(number for number, count in times.items() if count > 1)
    return (f"{len(found)} rows instead of {len(expected)}; missing {missing[:10]}, "
            f"more than once {doubled[:10]}")
