"""Runs a command with a database server at hand: ``python tests/services.py postgres pytest -m story``.

``postgres``: a server that answers is used, the one that ``PGHOST`` names, one behind the usual
sockets, or one on 127.0.0.1; else a server of our own is started from the installed binaries and is
gone afterwards. ``mariadb``: always one of our own. Exit status 3: none could be had.
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
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

NOT_TO_BE_HAD = 3
PLACES = ({"PGHOST": ""}, {"PGHOST": "127.0.0.1", "PGUSER": "postgres"})
# Without the disk flushes that only matter for keeps.
QUICK = ("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M", "--skip-log-bin")
DEBIAN_KEEPS_THEM_IN = Path("/usr/lib/postgresql")


def main(kind: str, command: list[str]) -> int:
    with {"postgres": postgres, "mariadb": mariadb}[kind]() as address:
        if address is None:
            print(f"No {kind} answers, and none is installed.", file=sys.stderr)
            return NOT_TO_BE_HAD
        # A name of its own: the server may be one that other checkouts use at the same moment.
        own = {"NB_TEST_DATABASE": kind, "NB_TEST_NAME": f"nb_catalog_{os.getpid()}"}
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


@contextlib.contextmanager
def mariadb() -> Iterator[Mapping[str, str] | None]:
    """The NB_TEST_* variables of a server of our own; None where none is installed."""
    server, install = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if server is None or install is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="nb_catalog-mariadb-") as directory:
        home = Path(directory)
        # It runs as root where we do: the directory is ours, and the server is gone in minutes.
        user = ["--user=root"] if os.getuid() == 0 else []
        where = ["--no-defaults", f"--datadir={home / 'data'}", *user]
        _run(install, *where, "--auth-root-authentication-method=normal", user=None)
        address = home / "socket"
        process = subprocess.Popen(
            [server, *where, f"--socket={address}", "--skip-networking", *QUICK],
            stdout=subprocess.DEVNULL, stderr=(home / "log").open("w"),
        )  # fmt: skip
        try:
            _wait_for(address, process)
            yield {"NB_TEST_SOCKET": str(address), "NB_TEST_USER": "root"}
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(address: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(address))
            return
        time.sleep(0.2)
    raise RuntimeError(f"MariaDB did not start; see {address.parent / 'log'}.")


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
    port = free_port()
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


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
