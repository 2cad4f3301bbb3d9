"""An echo server, so that a test controls every byte."""

from __future__ import annotations

import socket
import threading

GREETING = b"greeting"


class Echo:
    """Sends a greeting, then echoes and records the data it receives."""

    def __init__(self) -> None:
        self.received = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with self.listener:
            while True:
                end, _ = self.listener.accept()
                with end:
                    try:
                        end.sendall(GREETING)
                        while data := end.recv(4096):
                            if data == b"leave":
                                return
                            self.received += data
                            end.sendall(data)
                    except OSError:
                        pass

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as end:
            end.sendall(b"leave")
        self.thread.join(5)
        assert not self.thread.is_alive()
