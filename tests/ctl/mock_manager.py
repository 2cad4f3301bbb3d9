"""A Varlink server that answers as binlog-ssld does, or with any fault.

It has materials and clusters in their JSON form, answers the methods of the interface from them and
sends each change to subscribers. A test replaces the answer of a method with a function in script.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

INTERFACE = "io.binlogssl.Manager"
SERVICE = "org.varlink.service"


class Connection:
    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.lock = threading.Lock()

    def raw(self, data: bytes) -> None:
        try:
            with self.lock:
                self.stream.sendall(data)
        except OSError:
            pass  # the command has closed the connection

    def reply(self, parameters: dict, *, continues: bool = False) -> None:
        message: dict = {"parameters": parameters}
        if continues:
            message["continues"] = True
        self.raw(json.dumps(message).encode() + b"\0")

    def error(self, name: str, /, **parameters) -> None:
        name = name if "." in name else f"{INTERFACE}.{name}"
        self.raw(json.dumps({"error": name, "parameters": parameters}).encode() + b"\0")

    def disconnect(self) -> None:
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


Answer = Callable[[Connection, dict], None]


class MockManager:
    def __init__(self, path: Path, materials: list[dict], clusters: list[dict], *,
                 health: str = "ok", summary: str = "all is well", pid: int = 0) -> None:
        self.path = path
        self.materials = {m["name"]: m for m in materials}
        self.clusters = {c["name"]: c for c in clusters}
        self.health, self.summary, self.pid = health, summary, pid or os.getpid()
        self.refused: dict | None = None
        self.history: dict[str, dict] = {}  # members of ClusterHistory
        self.calls: list[tuple[str, dict]] = []
        self.script: dict[str, Answer] = {}
        self.subscribers: list[Connection] = []
        self._connections: list[Connection] = []
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None

    def __enter__(self) -> MockManager:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Stops as the daemon does: no socket file, no connection."""
        if self._listener is None:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        self.path.unlink(missing_ok=True)
        with self._lock:
            self.subscribers.clear()
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.disconnect()

    def status(self) -> dict:
        now = time.time_ns() // 1000
        return {"version": "0.1.0", "pid": self.pid, "started_at": now, "loaded_at": now,
                "health": self.health, "summary": self.summary, "refused": self.refused,
                "materials": list(self.materials.values()),
                "clusters": list(self.clusters.values())}

    def called(self, method: str) -> list[dict]:
        return [parameters for name, parameters in self.calls if name == method]

    def publish(self, event: str, *, material: dict | None = None,
                cluster: dict | None = None) -> None:
        for subscriber in self.subscribers:
            subscriber.reply({"event": event, "material": material, "cluster": cluster},
                             continues=True)

    def change_cluster(self, name: str, **fields) -> None:
        """Sets last_attempt too where the state is the result of an import."""
        if fields.get("state") in ("current", "held", "retrying"):
            fields = {"last_attempt": microseconds(), **fields}
        if "state" in fields:
            fields = {"health": CLUSTER_HEALTH.get(fields["state"], "ok"), **fields}
        with self._lock:
            self.clusters[name] = {**self.clusters[name], **fields}
            self.publish("changed", cluster=self.clusters[name])

    def change_material(self, name: str = "default", **fields) -> None:
        if "state" in fields:
            fields = {"health": MATERIAL_HEALTH.get(fields["state"], "ok"), **fields}
        with self._lock:
            self.materials[name] = {**self.materials[name], **fields}
            self.publish("changed", material=self.materials[name])

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s"
            time.sleep(0.01)

    def wait_subscriber(self) -> None:
        self.wait(lambda: bool(self.subscribers))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            connection = Connection(stream)
            with self._lock:
                self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        pending = b""
        with connection.stream:
            while True:
                try:
                    data = connection.stream.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                pending += data
                *messages, pending = pending.split(b"\0")
                for message in messages:
                    self._answer(connection, json.loads(message))

    def _answer(self, connection: Connection, call: dict) -> None:
        interface, method = call["method"].rsplit(".", 1)
        assert interface == INTERFACE
        self.calls.append((method, call.get("parameters", {})))
        answer = self.script.get(method) or getattr(self, f"_{method}", None)
        if answer:
            answer(connection, call)
        else:
            connection.error(f"{SERVICE}.MethodNotFound", method=call["method"])

    def _GetStatus(self, connection: Connection, _: dict) -> None:
        connection.reply(self.status())

    def _GetHistory(self, connection: Connection, call: dict) -> None:
        names = call["parameters"].get("clusters") or list(self.clusters)
        for name in names:
            if name not in self.clusters:
                connection.error("NoSuchCluster", name=name)
                return
        connection.reply({"clusters": [
            {"name": name, "older": 0, "entries": [], **self.history.get(name, {})}
            for name in self.clusters if name in names]})

    def _Subscribe(self, connection: Connection, call: dict) -> None:
        if not call.get("more"):
            connection.error(f"{SERVICE}.ExpectedMore")
            return
        with self._lock:
            for material in self.materials.values():
                connection.reply({"event": "state", "material": material, "cluster": None},
                                 continues=True)
            for cluster in self.clusters.values():
                connection.reply({"event": "state", "material": None, "cluster": cluster},
                                 continues=True)
            connection.reply({"event": "ready", "material": None, "cluster": None},
                             continues=True)
            self.subscribers.append(connection)

    def _Import(self, connection: Connection, call: dict) -> None:
        wanted = call["parameters"].get("clusters")
        for name in wanted or []:
            if name not in self.clusters:
                connection.error("NoSuchCluster", name=name)
                return
        started = [name for name, cluster in self.clusters.items()
                   if (not wanted or name in wanted) and cluster["state"] != "disabled"
                   and (call["parameters"].get("force") or cluster["state"] != "current")]
        for name in started:
            self.change_cluster(name, state="importing", reason=None)
        connection.reply({"started": started})

    def _Remove(self, connection: Connection, call: dict) -> None:
        wanted = call["parameters"]["clusters"]
        for name in wanted:
            if name not in self.clusters:
                connection.error("NoSuchCluster", name=name)
                return
        for name in wanted:
            if self.clusters[name]["state"] != "disabled":
                connection.error("ClusterEnabled", name=name)
                return
        for name in wanted:
            self.change_cluster(name, removal=removal(running=True, outcome=None))
        connection.reply({})

    def _Reload(self, connection: Connection, _: dict) -> None:
        connection.reply({})

    def _GetMetrics(self, connection: Connection, _: dict) -> None:
        connection.reply({"text": "# TYPE binlog_ssld_up gauge\nbinlog_ssld_up 1\n"})


def microseconds(seconds_from_now: float = 0) -> int:
    return time.time_ns() // 1000 + int(seconds_from_now * 1_000_000)


DAY = 86400
SET = "6d1f0c9a2b3c" + "0" * 52
OLD_SET = "9a0b1c2d3e4f" + "0" * 52


def certificate(**fields) -> dict:
    return {"subject": "CN = binlog client, O = Example", "issuer": "CN = Example CA",
            "serial": "0A", "sha256": "ab" * 32, "not_before": microseconds(-DAY),
            "not_after": microseconds(90 * DAY + 3700), "key_type": "rsa", "key_bits": 2048,
            **fields}


MATERIAL_HEALTH = {"expiring": "warning", "not_yet_valid": "warning", "missing": "critical",
                   "invalid": "critical", "expired": "critical"}
CLUSTER_HEALTH = {"retrying": "warning", "held": "critical"}


def material(name: str = "default", **fields) -> dict:
    return {"name": name, "directory": "/etc/binlog-ssld/material", "state": "valid",
            "health": MATERIAL_HEALTH.get(fields.get("state"), "ok"), "reason": None,
            "next_step": None, "since": microseconds(-3600), "fingerprint": SET,
            "certificate": certificate(), "ca_count": 1, "ca_not_after": microseconds(900 * DAY),
            "problems": [], "rollout": None, "not_responding_since": None, "watch": "inotify", "missed_events": 0,
            "last_check": microseconds(-5), "last_change": microseconds(-3600), **fields}


def cluster(name: str, **fields) -> dict:
    return {"name": name, "host": f"{name}.cluster-abc.eu-west-1.rds.amazonaws.com", "port": 3306,
            "material": "default", "state": "current",
            "health": CLUSTER_HEALTH.get(fields.get("state"), "ok"), "reason": None,
            "next_step": None, "since": microseconds(-190), "out_of_sync_since": None, "imported_fingerprint": SET,
            "imported_at": microseconds(-190), "imported_not_after": microseconds(364 * DAY),
            "in_use": None, "import_warning": None, "rollback": None,
            "attempts": 0,
            "last_attempt": microseconds(-190), "last_success": microseconds(-190),
            "next_attempt": None, "outcome": "imported", "sql_errno": None, "removal": None,
            "replication_mode": "ignore", "replication": None,
            **fields}


def replication(**fields) -> dict:
    return {"configured": True, "io_running": "Yes", "sql_running": "Yes", "tls": True,
            "io_errno": None, "io_error": None, "sql_errno": None, "sql_error": None, "lag": 0,
            "source": "db1.example:3306", "stopped_by_us": False, "checked_at": microseconds(-42),
            **fields}


def removal(**fields) -> dict:
    return {"running": False, "outcome": "removed", "sql_errno": None, "reason": None,
            "next_step": None, **fields}


def problem(rule: str, text: str, *, file: str = "key", severity: str = "error") -> dict:
    return {"file": file, "rule": rule, "severity": severity, "text": text}
