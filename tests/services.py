"""Runs a command with PostgreSQL at hand: ``python tests/services.py pytest -m story``.

A server that answers is used: the one that ``PGHOST`` names, one behind the usual sockets, or
one on 127.0.0.1. Else a server of our own is started from the installed binaries and is gone
afterwards. Exit status 3: neither could be had.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

NOT_TO_BE_HAD = 3
PLACES = ({"PGHOST": ""}, {"PGHOST": "127.0.0.1", "PGUSER": "postgres"})
DEBIAN_KEEPS_THEM_IN = Path("/usr/lib/postgresql")


def main(command: list[str]) -> int:
    with postgres() as address:
        if address is None:
            print("No PostgreSQL answers, and none is installed.", file=sys.stderr)
            return NOT_TO_BE_HAD
        # A name of its own: the server may be one that other checkouts use at the same moment.
        own = {"NB_TEST_DATABASE": "postgres", "NB_TEST_NAME": f"nb_catalog_{os.getpid()}"}
        environment = {**os.environ, **address, **own}
        return subprocess.run(command, env=environment, check=False).returncode


@contextlib.contextmanager
def postgres() -> Iterator[Mapping[str, str] | None]:
    """The PG* variables of a server that lets us create databases; None without one."""
    given = {"PGHOST": os.environ["PGHOST"]} if os.environ.get("PGHOST") else None
    for place in [given] if given else PLACES:
        if _answers(place):
            yield place
            return
    binaries = _binaries()
    if given or binaries is None:
        yield None
        return
    with _started(binaries) as place:
        yield place


def _answers(place: Mapping[str, str]) -> bool:
    try:
        with psycopg.connect(
            host=place["PGHOST"] or None,
            user=place.get("PGUSER"),
            dbname=os.environ.get("PGDATABASE", "postgres"),
            connect_timeout=3,
        ) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def _binaries() -> Path | None:
    """Where ``initdb`` lies; the newest version when there are several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(
        DEBIAN_KEEPS_THEM_IN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    return versions[-1].parent if versions else None


@contextlib.contextmanager
def _started(binaries: Path) -> Iterator[Mapping[str, str]]:
    """A server in a directory of its own, without the disk flushes that only matter for keeps."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="nb_catalog-postgres-") as directory:
        home = Path(directory)
        data = home / "data"
        user = _someone_else(home)
        _run(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", user=user)
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = home / "log"
        _run(binaries / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start", user=user)
        try:
            yield {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres"}
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", user=user)


def _someone_else(home: Path) -> str | None:
    """PostgreSQL does not run as root: who runs it then, and owns its directory."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(home, user)
    return user


def _run(*command: object, user: str | None) -> None:
    subprocess.run(
        [str(word) for word in command],
        user=user,
        cwd="/",
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
