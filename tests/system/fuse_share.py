# SPDX-License-Identifier: GPL-3.0-or-later
"""A small file system of our own, spoken to the kernel by /dev/fuse: read-only, one folder, and it can stop answering.

    with FuseShare(path) as share:
        share.put("feed.zip", data)
        share.hang()     # requests are taken, and nobody answers: who waits for one cannot even be killed
        share.answer()   # all that waited is answered

Only the protocol's plainest part is spoken (7.31). Whoever looks into it from the process that serves it must use another thread.
"""
import ctypes
import errno
import os
import stat
import struct
import subprocess
import threading
import time

LOOKUP, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS = 1, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29, 34
FORGET, INTERRUPT, BATCH_FORGET = 2, 36, 42
WRITING = {4, 6, 8, 9, 10, 11, 12, 13, 16, 35, 45}  # setattr, symlink, mknod, mkdir, unlink, … create, rename2
MOUNT_FLAGS = 2 | 4  # nosuid, nodev


class FuseShare:
    def __init__(self, path):
        self.path = path
        self.files = {}   # inode -> (name, data, mtime)
        self.answering = True
        self.waiting = []
        self.lock = threading.Lock()
        self.taken = 0    # requests taken while it hangs
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"town", os.fsencode(path), b"fuse.town", MOUNT_FLAGS, options) != 0:
            number = ctypes.get_errno()
            os.close(self.fd)
            raise OSError(number, os.strerror(number))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def put(self, name, data, mtime=None):
        with self.lock:
            self.files[100 + len(self.files)] = (name.encode(), data, mtime or time.time())

    def hang(self):
        with self.lock:
            self.answering, self.taken = False, 0

    def answer(self):
        with self.lock:
            self.answering = True
            waiting, self.waiting = self.waiting, []
        for request in waiting:
            self._reply(request)

    def close(self):
        """Whoever still waits is answered; then it is gone."""
        subprocess.run(["umount", "-l", self.path], check=False, capture_output=True)
        self.answer()
        self.thread.join(5)
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- the kernel's side ---

    def _serve(self):
        while True:
            try:
                request = os.read(self.fd, 1 << 18)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # ENODEV: unmounted
            with self.lock:
                wait = not self.answering
                if wait:
                    self.waiting.append(request)
                    self.taken += 1
            if not wait:
                self._reply(request)

    def _reply(self, request):
        _, opcode, unique, node, _, _, _, _ = struct.unpack_from("<IIQQIIII", request)
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return
        try:
            error, answer = 0, self._answer(opcode, node, request[40:])
        except OSError as failure:
            error, answer = -failure.errno, b""
        try:
            os.write(self.fd, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)
        except OSError:
            pass  # the request was taken back

    def _attr(self, node):
        if node == 1:
            mode, size, mtime = stat.S_IFDIR | 0o755, 0, 1
        elif node in self.files:
            mode, size, mtime = stat.S_IFREG | 0o644, len(self.files[node][1]), self.files[node][2]
        else:
            raise OSError(errno.ENOENT, "")
        seconds, nanos = int(mtime), int(mtime % 1 * 1e9)
        return struct.pack("<6Q10I", node, size, (size + 511) // 512, seconds, seconds, seconds, nanos, nanos, nanos, mode, 1,
                           0, 0, 0, 4096, 0)

    def _answer(self, opcode, node, body):
        if opcode == INIT:
            return struct.pack("<4IHH2I", 7, 31, 0, 0, 12, 10, 1 << 16, 1) + bytes(36)
        if opcode == LOOKUP:
            name = body.rstrip(b"\0")
            for inode, (known, _, _) in self.files.items():
                if known == name:
                    return struct.pack("<4Q2I", inode, 0, 0, 0, 0, 0) + self._attr(inode)
            raise OSError(errno.ENOENT, "")
        if opcode == GETATTR:
            return struct.pack("<Q2I", 0, 0, 0) + self._attr(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<Q2I", 0, 1, 0)  # direct: nothing is kept in the kernel
        if opcode == READ:
            _, at, size = struct.unpack_from("<QQI", body)
            return self.files[node][1][at:at + size]
        if opcode == READDIR:
            _, at, size = struct.unpack_from("<QQI", body)
            names = [(1, b".", 4), (1, b"..", 4)] + [(inode, name, 8) for inode, (name, _, _) in sorted(self.files.items())]
            answer = b""
            for i, (inode, name, kind) in enumerate(names[at:], at + 1):
                entry = struct.pack("<QQII", inode, i, len(name), kind) + name
                entry += bytes(-len(entry) % 8)
                if len(answer) + len(entry) > size:
                    break
                answer += entry
            return answer
        if opcode == STATFS:
            return struct.pack("<5Q4I24x", 1000, 0, 0, 100, 0, 4096, 255, 4096, 0)
        if opcode in (RELEASE, RELEASEDIR, FLUSH, ACCESS):
            return b""
        raise OSError(errno.EROFS if opcode in WRITING else errno.ENOSYS, "")
