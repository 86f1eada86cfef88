"""A way to the database that can be cut: what workers see of a server that is gone."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

POSTGRES_SOCKET = ".s.PGSQL.5432"
DEBIAN_SOCKETS = "/var/run/postgresql"


class Relay:
    """Listens on a Unix socket at ``path`` and passes everything on to this test's server.

    ``cut`` breaks all connections and refuses new ones, ``mend`` takes them again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: set[socket.socket] = set()
        self._listening: socket.socket | None = None

    def mend(self) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._path))
        self._listening.listen()
        threading.Thread(target=self._accept, args=[self._listening], daemon=True).start()

    def cut(self) -> None:
        self._path.unlink()
        if self._listening is not None:
            _close(self._listening)
        for line in list(self._lines):
            _close(line)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _address = listening.accept()
                there = _server()
                self._lines |= {line, there}
                threading.Thread(target=self._pass_on, args=[line, there], daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        other = {here: there, there: here}
        with contextlib.suppress(OSError, ValueError):
            while True:
                for each in select.select([here, there], [], [])[0]:
                    data = each.recv(65536)
                    if not data:
                        raise OSError
                    other[each].sendall(data)
        for each in (here, there):
            _close(each)
        self._lines -= {here, there}


def _server() -> socket.socket:
    settings = connection.settings_dict
    host, port = settings["HOST"], settings.get("PORT") or "5432"
    if connection.vendor == "postgresql" and not (host or DEBIAN_SOCKETS).startswith("/"):
        return socket.create_connection((host, int(port)))
    there = socket.socket(socket.AF_UNIX)
    socket_dir = Path(host or DEBIAN_SOCKETS)
    there.connect(
        str(socket_dir / f".s.PGSQL.{port}" if connection.vendor == "postgresql" else host)
    )
    return there


def _close(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


@contextmanager
def relay(home: Path) -> Iterator[tuple[Relay, Mapping[str, str]]]:
    """A relay, and the environment of processes that use it."""
    path = home / POSTGRES_SOCKET
    made = Relay(path)
    made.mend()
    if connection.vendor == "postgresql":
        environment = {"PGHOST": str(home), "PGPORT": "5432"}
        if connection.settings_dict["USER"]:
            environment["PGUSER"] = connection.settings_dict["USER"]
    else:
        environment = {"NB_TEST_SOCKET": str(path)}
    try:
        yield made, {**os.environ, **environment}
    finally:
        if path.exists():
            made.cut()
