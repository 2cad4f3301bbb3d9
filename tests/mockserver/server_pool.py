"""Any number of mock servers on loopback ports, with one thread that accepts for all of them."""

from __future__ import annotations

import resource
import selectors
import socket
import threading

from .conversation import Script

LOOPBACK = "127.0.0.1"
MAX_DESCRIPTORS = 16384  # one port for each case; test_truncation has thousands of them


class ServerPool:
    def __init__(self) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(MAX_DESCRIPTORS, hard), hard))
        self._selector = selectors.DefaultSelector()
        self._reserved: list[socket.socket] = []
        self._stop, self._stopped = socket.socketpair()
        self._selector.register(self._stopped, selectors.EVENT_READ, None)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def add(self, script: Script, host: str = LOOPBACK) -> int:
        """Returns the port on which a server with this script listens for clients of host."""
        listener = socket.create_server((LOOPBACK, 0), backlog=16)
        if ":" in host:
            # The port of 127.0.0.1 stays taken: a client of localhost tries ::1 first.
            self._reserved.append(listener)
            listener = socket.create_server((host, listener.getsockname()[1]),
                                            family=socket.AF_INET6, backlog=16)
        self._selector.register(listener, selectors.EVENT_READ, script)
        return int(listener.getsockname()[1])

    def close(self) -> None:
        self._stop.close()
        self._acceptor.join()
        for listener in self._reserved:
            listener.close()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _accept(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                assert isinstance(key.fileobj, socket.socket)
                try:
                    connection, _ = key.fileobj.accept()
                except OSError:
                    continue  # the client closed the connection before accept()
                threading.Thread(target=key.data.accept, args=(connection,), daemon=True).start()

    def __enter__(self) -> ServerPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
