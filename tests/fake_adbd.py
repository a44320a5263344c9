"""The phone's end of adb's protocol, so that adb's own client can be tried without a phone; see `test_adb_client.py`.

It speaks what `adb devices`, `adb shell` and `adb push` need, over TCP and without keys: the protocol of adb's
`protocol.txt`, the shell protocol (`shell_v2`) and SEND of `SYNC.TXT`, all in AOSP. A shell line runs on this machine
with the phone's tools of `fake_adb.py`, and /sdcard is a folder.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
from pathlib import Path

_BANNER = b"device::ro.product.name=fake;ro.product.model=fake;features=shell_v2,cmd"
_VERSION, _MOST_DATA, _PIECE = 0x01000001, 256 * 1024, 64 * 1024
_STDOUT, _STDERR, _EXIT = 1, 2, 3


class FakeAdbd:
    """Listens on `port` of this machine until it is closed."""

    def __init__(self, phone: Path) -> None:
        self.phone = phone
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """As if the phone was unplugged."""
        self._server.close()
        for one in self._open:
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self._open.append(link)
            threading.Thread(target=_Link(link, self.phone).run, daemon=True).start()


class _Link:
    """One client: messages of 24 bytes and their data, for many streams at once."""

    def __init__(self, link: socket.socket, phone: Path) -> None:
        self.phone = phone
        self._link = link
        self._lock = threading.Lock()
        self._streams: dict[int, _Stream] = {}

    def send(self, command: bytes, first: int, second: int, data: bytes = b"") -> None:
        number = int.from_bytes(command, "little")
        head = struct.pack("<6I", number, first, second, len(data), sum(data), number ^ 0xFFFFFFFF)
        with self._lock:
            self._link.sendall(head + data)

    def run(self) -> None:
        try:
            while True:
                number, first, second, length, _, _ = struct.unpack("<6I", self._read(24))
                self._take(number.to_bytes(4, "little"), first, second, self._read(length))
        except OSError:
            return

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._link.recv(count - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def _take(self, command: bytes, first: int, second: int, data: bytes) -> None:
        if command == b"CNXN":
            self.send(b"CNXN", _VERSION, _MOST_DATA, _BANNER)
        elif command == b"OPEN":
            own = len(self._streams) + 1
            stream = self._streams[own] = _Stream(self, own, first, data.rstrip(b"\0").decode())
            self.send(b"OKAY", own, first)
            threading.Thread(target=stream.run, daemon=True).start()
        elif command == b"WRTE":
            self._streams[second].feed(data)
            self.send(b"OKAY", second, first)
        elif command == b"OKAY":
            self._streams[second].ready.set()


class _Stream:
    """One service: a line of shell, or files to be kept."""

    def __init__(self, link: _Link, own: int, peer: int, service: str) -> None:
        self._link, self._own, self._peer, self._service = link, own, peer, service
        self._data = b""
        self._more = threading.Condition()
        self.ready = threading.Event()

    def feed(self, data: bytes) -> None:
        with self._more:
            self._data += data
            self._more.notify_all()

    def run(self) -> None:
        kind, _, line = self._service.partition(":")
        if kind == "sync":
            self._keep_files()
        else:
            self._shell(line)
        self._link.send(b"CLSE", self._own, self._peer)

    def _shell(self, line: str) -> None:
        phone = self._link.phone
        environment = {**os.environ, "PATH": f"{phone / 'bin'}:/usr/bin:/bin", "FAKE_ADB": str(phone)}
        line = line.replace("/sdcard/", f"{phone / 'sdcard'}/")
        done = subprocess.run(["/bin/sh", "-c", line], env=environment, capture_output=True, check=False)
        for kind, data in ((_STDOUT, done.stdout), (_STDERR, done.stderr), (_EXIT, bytes([done.returncode & 255]))):
            if data:
                self._write(struct.pack("<BI", kind, len(data)) + data)

    def _keep_files(self) -> None:
        while True:
            kind, length = struct.unpack("<4sI", self._read(8))
            if kind == b"QUIT":
                return
            words = self._read(length)
            if kind == b"STAT":  # nothing is there
                self._write(struct.pack("<4s3I", b"STAT", 0, 0, 0))
            elif kind == b"SEND":
                self._keep(words.decode().rpartition(",")[0])

    def _keep(self, path: str) -> None:
        data = b""
        while True:
            kind, length = struct.unpack("<4sI", self._read(8))
            if kind == b"DONE":
                break
            data += self._read(length)
        try:
            Path(path.replace("/sdcard", str(self._link.phone / "sdcard"), 1)).write_bytes(data)
        except OSError as error:
            told = f"couldn't create file: {error.strerror}".encode()
            self._write(struct.pack("<4sI", b"FAIL", len(told)) + told)
        else:
            self._write(struct.pack("<4sI", b"OKAY", 0))

    def _read(self, count: int) -> bytes:
        with self._more:
            self._more.wait_for(lambda: len(self._data) >= count)
            data, self._data = self._data[:count], self._data[count:]
        return data

    def _write(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            self.ready.clear()
            self._link.send(b"WRTE", self._own, self._peer, data[start : start + _PIECE])
            self.ready.wait(20)
