"""The system and library calls that fail, with an error that the manual of each names."""

from __future__ import annotations

import errno

MANAGER, WATCH, INSPECT, IMPORT = "binlog-ssld", "binlog-watch", "binlog-inspect", "binlog-import"

ERRORS = {
    "open": errno.EMFILE, "openat": errno.ENFILE, "read": errno.EIO, "write": errno.ENOSPC,
    "fsync": errno.EIO, "rename": errno.ENOSPC, "fork": errno.EAGAIN, "pipe2": errno.EMFILE,
    "memfd_create": errno.EMFILE, "mmap64": errno.ENOMEM, "socket": errno.EMFILE,
    "socketpair": errno.EMFILE, "accept4": errno.EMFILE, "inotify_add_watch": errno.ENOSPC,
    "timerfd_create": errno.EMFILE, "timerfd_settime": errno.EINVAL, "epoll_ctl": errno.ENOMEM,
    "send": errno.ENOBUFS, "recv": errno.ENOMEM, "sendmsg": errno.ENOBUFS,
    "recvmsg": errno.ENOMEM, "malloc": errno.ENOMEM,
}

# What each process calls while a set is rotated, and at the start.
ROTATION = {
    MANAGER: ["open", "openat", "read", "write", "fsync", "rename", "fork", "memfd_create", "mmap64",
              "socketpair", "accept4", "timerfd_settime", "epoll_ctl", "send", "recv", "malloc"],
    WATCH: ["open", "openat", "read", "timerfd_settime", "send", "malloc"],
    INSPECT: ["open", "openat", "read", "write", "send", "malloc"],
    IMPORT: ["openat", "read", "write", "mmap64", "socket", "send", "recv", "malloc"],
}
START = {
    MANAGER: ["open", "openat", "read", "write", "fsync", "fork", "memfd_create", "mmap64", "socket",
              "socketpair", "timerfd_create", "timerfd_settime", "epoll_ctl", "malloc"],
    WATCH: ["open", "openat", "read", "inotify_add_watch", "timerfd_create", "timerfd_settime",
            "epoll_ctl", "send", "malloc"],
}
