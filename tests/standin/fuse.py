"""A network file system that can be slow or stop answering: the server of a FUSE mount.

Speaks the kernel's protocol on /dev/fuse (linux/fuse.h). The files are changed at the server, as by
another host: such a change raises no inotify event.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MNT_DETACH = 2

ROOT = 1
NO_ANSWER = {2, 36, 42}  # FORGET, INTERRUPT, BATCH_FORGET
LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = (
    1, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29)
IN_HEADER = struct.Struct("=IIQQIIIHH")   # fuse_in_header
OUT_HEADER = struct.Struct("=IiQ")        # fuse_out_header
ATTRIBUTES = struct.Struct("=QQQQQQIIIIIIIIII")  # fuse_attr
LARGEST = 1 << 17


def _check(result: int, name: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), name)


@contextmanager
def private_mounts() -> Iterator[None]:
    """The calling thread, and the processes that it starts, have a mount namespace of their own."""
    outer = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    directory = os.getcwd()
    try:
        _check(LIBC.unshare(CLONE_NEWNS), "unshare")
        _check(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount")
        yield
    finally:
        LIBC.setns(outer, CLONE_NEWNS)  # enters the root directory
        os.close(outer)
        os.chdir(directory)


class FuseServer:
    """One directory of regular files."""

    def __init__(self, directory: Path) -> None:
        """Mounts it in the mount namespace of the calling thread."""
        self.directory = directory
        self.delay = 0.0    # seconds before each answer
        self.requests = 0   # that wanted an answer
        self._files: dict[str, tuple[int, bytes, float]] = {}  # inode, content, time of the change
        self._next_inode = ROOT + 1
        self._held: list[bytes] = []
        self._hanging: set[int] | None = None  # these operations; empty: all
        self._lock = threading.Lock()
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        _check(LIBC.mount(b"binlog-ssld-test", bytes(directory), b"fuse", 0, options.encode()),
               "mount")
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends every request that waits with an error, and unmounts."""
        LIBC.umount2(bytes(self.directory), MNT_DETACH)
        os.close(self._ended)
        self._thread.join()
        os.close(self._end)
        os.close(self._fd)

    def write(self, files: dict[str, bytes]) -> None:
        """Replaces these files by new ones, all at once."""
        with self._lock:
            for name, content in files.items():
                self._files[name] = (self._next_inode, content, time.time())
                self._next_inode += 1

    def hang(self, operations: Collection[int] = ()) -> None:
        """Answers nothing any more, or nothing to these operations."""
        with self._lock:
            self._hanging = set(operations)

    @property
    def waiting(self) -> int:
        """The number of requests that wait for an answer since hang()."""
        with self._lock:
            return len(self._held)

    def answer_again(self) -> None:
        with self._lock:
            held, self._held, self._hanging = self._held, [], None
        for request in held:
            self._answer(request)

    def _serve(self) -> None:
        while self._end not in select.select([self._fd, self._end], [], [])[0]:
            try:
                request = os.read(self._fd, LARGEST + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                continue  # ENOENT, EINTR: the request was withdrawn
            operation = IN_HEADER.unpack_from(request)[1]
            with self._lock:
                if operation not in NO_ANSWER:
                    self.requests += 1
                if self._hanging is not None and (not self._hanging or operation in self._hanging):
                    self._held.append(request)
                    continue
            if self.delay:
                threading.Timer(self.delay, self._answer, [request]).start()
            else:
                self._answer(request)

    def _answer(self, request: bytes) -> None:
        _, operation, unique, node, *_ = IN_HEADER.unpack_from(request)
        if operation in NO_ANSWER:
            return
        with self._lock:
            result = self._result(operation, node, request[IN_HEADER.size:])
        error, body = (result, b"") if isinstance(result, int) else (0, result)
        try:
            os.write(self._fd, OUT_HEADER.pack(OUT_HEADER.size + len(body), -error, unique) + body)
        except OSError:
            pass  # the caller was killed, or the file system unmounted

    def _result(self, operation: int, node: int, body: bytes) -> bytes | int:
        if operation == INIT:
            # No cache: every access reaches the server.
            return struct.pack("=IIIIHHIIHHI7I", 7, 31, 0, 0, 16, 12, LARGEST, 1, 0, 0, 0, *[0] * 7)
        if operation == LOOKUP:
            found = self._files.get(body.rstrip(b"\0").decode())
            if found is None:
                return errno.ENOENT
            return struct.pack("=QQQQII", found[0], 0, 0, 0, 0, 0) + self._attributes(found[0])
        if operation == GETATTR:
            return struct.pack("=QII", 0, 0, 0) + self._attributes(node)
        if operation in (OPEN, OPENDIR):
            return struct.pack("=QII", 0, 1, 0)  # FOPEN_DIRECT_IO
        if operation == READ:
            offset, size = struct.unpack_from("=QI", body, 8)
            return self._content(node)[offset:offset + size]
        if operation == READDIR:
            return b""
        if operation == STATFS:
            return bytes(80)
        if operation in (RELEASE, RELEASEDIR, FLUSH):
            return b""
        return errno.ENOSYS

    def _file(self, node: int) -> tuple[int, bytes, float] | None:
        return next((file for file in self._files.values() if file[0] == node), None)

    def _content(self, node: int) -> bytes:
        file = self._file(node)
        return file[1] if file else b""

    def _attributes(self, node: int) -> bytes:
        file = self._file(node)
        size, changed = (len(file[1]), file[2]) if file else (0, 0.0)
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o600
        seconds, nanoseconds = int(changed), int(changed % 1 * 1e9)
        return ATTRIBUTES.pack(node, size, 1, seconds, seconds, seconds, nanoseconds, nanoseconds,
                               nanoseconds, mode, 1, 0, 0, 0, 4096, 0)
