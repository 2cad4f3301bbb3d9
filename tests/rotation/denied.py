#!/usr/bin/python3
"""Runs a command where no inotify watch is to be had: denied.py LIMIT COMMAND...

LIMIT is max_inotify_watches (add_watch says ENOSPC) or max_inotify_instances (init says EMFILE). It
is a real limit of the kernel, of a user namespace in which all users are who they are outside.
fs.inotify.max_user_watches would be the wrong file: it is the whole machine's, seen from wherever.
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000

libc = ctypes.CDLL(None, use_errno=True)
process, (reading, writing) = os.getpid(), os.pipe()
mapper = os.fork()
if mapper == 0:
    # From outside: only there is a capability over all users.
    os.close(writing)
    os.read(reading, 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{process}/{name}", "w") as file:
            file.write("0 0 4294967295\n")
    os._exit(0)
if libc.unshare(CLONE_NEWUSER) != 0:
    sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
os.close(writing)
if os.waitpid(mapper, 0)[1] != 0:
    sys.exit("the map of users could not be written")
with open(f"/proc/sys/user/{sys.argv[1]}", "w") as file:
    file.write("0")
os.execvp(sys.argv[2], sys.argv[2:])
