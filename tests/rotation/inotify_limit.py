#!/usr/bin/python3
"""Runs a command with an inotify limit of zero: inotify_limit.py LIMIT COMMAND...

LIMIT is max_inotify_watches (inotify_add_watch fails with ENOSPC) or max_inotify_instances
(inotify_init fails with EMFILE). It is set in a new user namespace that maps every user to itself.
fs.inotify.max_user_watches would be wrong: it is global in every user namespace.
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000

libc = ctypes.CDLL(None, use_errno=True)
process, (reading, writing) = os.getpid(), os.pipe()
mapper = os.fork()
if mapper == 0:
    # A process of the parent namespace writes the map: only it has the capability for all users.
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
    sys.exit("cannot write the user map")
with open(f"/proc/sys/user/{sys.argv[1]}", "w") as file:
    file.write("0")
os.execvp(sys.argv[2], sys.argv[2:])
