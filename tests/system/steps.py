# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a process before each of its file system calls, so that a test can change the world at that very moment.

    for number in step(pid, lambda: stage.send(...)):
        ...        # the process is held before its next call that names or touches a file; number is that call's

amd64 alone, and from one thread: the tracer is that thread.
"""
import ctypes
import os
import signal
import struct

SYSCALL, DETACH, SEIZE, INTERRUPT, GET_INFO = 24, 17, 0x4206, 0x4207, 0x420E
SYSGOOD = 1
FSTAT, PWRITE, FSYNC, FSTATAT, UNLINKAT, RENAMEAT, RENAMEAT2, OPENAT, OPENAT2, STATX, MKDIRAT = (
    5, 18, 74, 262, 263, 264, 316, 257, 437, 332, 258)
FILES = {FSTAT, PWRITE, FSYNC, FSTATAT, UNLINKAT, RENAMEAT, RENAMEAT2, OPENAT, OPENAT2, STATX, MKDIRAT}
WAITING = {0, 7, 45, 47, 271}  # read, poll, recvfrom, recvmsg, ppoll: for the next request

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, pid, address=0, data=0):
    if _libc.ptrace(request, pid, address, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _entered(pid):
    """The number of the call that begins, None where one ends."""
    info = ctypes.create_string_buffer(88)
    _ptrace(GET_INFO, pid, len(info), ctypes.addressof(info))
    return struct.unpack_from("<Q", info, 24)[0] if info[0] == b"\x01" else None


def step(pid, begin):
    _ptrace(SEIZE, pid, 0, SYSGOOD)
    _ptrace(INTERRUPT, pid)
    os.waitpid(pid, 0)
    begin()
    begun = False
    try:
        while True:
            _ptrace(SYSCALL, pid)
            _, status = os.waitpid(pid, 0)
            if not os.WIFSTOPPED(status):
                return
            if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
                continue  # what a signal did; none is sent in a test
            number = _entered(pid)
            if begun and number in WAITING:
                return
            if number in FILES:
                begun = True
                yield number
    finally:
        try:
            _ptrace(DETACH, pid)
        except OSError:
            pass
