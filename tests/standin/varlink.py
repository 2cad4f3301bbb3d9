"""A Varlink client for the socket of the daemon."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INTERFACE = "io.binlogssl.Manager"


class VarlinkError(Exception):
    def __init__(self, name: str, parameters: dict[str, Any]) -> None:
        super().__init__(f"{name} {parameters}")
        self.name = name.removeprefix(f"{INTERFACE}.")
        self.parameters = parameters


class Varlink:
    def __init__(self, path: Path, seconds: float = 60) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._socket.settimeout(seconds)
        self._input = b""

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Returns the parameters of the answer. A name without a dot is of io.binlogssl.Manager."""
        self.send({"method": method if "." in method else f"{INTERFACE}.{method}",
                   "parameters": parameters})
        return self.answer()["parameters"]

    def subscribe(self) -> Iterator[dict[str, Any]]:
        self.send({"method": f"{INTERFACE}.Subscribe", "more": True})
        while True:
            answer = self.answer()
            assert answer["continues"] is True
            yield answer["parameters"]

    def send(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\0")

    def answer(self) -> dict[str, Any]:
        while b"\0" not in self._input:
            received = self._socket.recv(65536)
            if not received:
                raise EOFError("the daemon closed the connection")
            self._input += received
        text, self._input = self._input.split(b"\0", 1)
        answer = json.loads(text)
        if "error" in answer:
            raise VarlinkError(answer["error"], answer["parameters"])
        return answer

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Varlink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
