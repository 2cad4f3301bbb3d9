"""Where scripted servers live: any number of ports on the loopback, one thread to open the door."""

from __future__ import annotations

import resource
import selectors
import socket
import threading

from .conversation import Script

LOOPBACK = "127.0.0.1"
ROOM = 16384  # descriptors: a port a case, and a sweep has thousands


class House:
    def __init__(self) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(ROOM, hard), hard))
        self._selector = selectors.DefaultSelector()
        self._threads: list[threading.Thread] = []
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._porter = threading.Thread(target=self._admit, daemon=True)
        self._porter.start()

    def admit(self, script: Script) -> int:
        """The port at which the script is played to whoever comes."""
        listener = socket.create_server((LOOPBACK, 0), backlog=16)
        self._selector.register(listener, selectors.EVENT_READ, script)
        return int(listener.getsockname()[1])

    def close(self) -> None:
        self._wake.close()
        self._porter.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _admit(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                assert isinstance(key.fileobj, socket.socket)
                try:
                    connection, _ = key.fileobj.accept()
                except OSError:
                    continue  # gone before we came to the door
                threading.Thread(target=key.data.accept, args=(connection,), daemon=True).start()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
