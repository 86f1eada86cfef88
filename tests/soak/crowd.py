"""Workers in processes of their own, any of which can be killed, frozen and replaced."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Self

from django.db import OperationalError, connection, transaction

from nb_catalog.models import ImageJob
from tests.settings import ROOT, SCRATCH

# Far beyond what anything takes on a busy machine: a test fails because something does not happen, not
# because it happens late.
PATIENCE = 240.0


def wait_until(holds: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Look five times a second until something ``holds``."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise AssertionError(f"It did not come to pass within {seconds:.0f} seconds.")
        time.sleep(0.2)


def _nothing_is_locked() -> bool:
    jobs = ImageJob.objects.order_by("pk")
    try:
        with transaction.atomic():
            if connection.features.has_select_for_update_nowait:
                list(jobs.select_for_update(nowait=True).values_list("pk"))
    except OperationalError:
        connection.close()
        return False
    return True


class Crowd:
    """``count`` times ``manage.py nb_worker`` on this test's database, with ``catalog`` on top of
    its ``NB_CATALOG`` and ``environment`` on top of this process's."""

    def __init__(
        self,
        count: int,
        *,
        catalog: Mapping[str, Any],
        concurrency: int = 4,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.kills = 0
        self._count, self._concurrency = count, concurrency
        self._environment = {
            **os.environ,
            **environment,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "NB_TEST_SCRATCH": str(SCRATCH),
            "NB_TEST_NAME": str(connection.settings_dict["NAME"]),
            "NB_TEST_CATALOG": json.dumps(catalog),
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for _ in range(self._count):
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """SIGTERM: what is in flight finishes. SIGKILL to who does not listen."""
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "nb_worker", "-v", "0",
             "--concurrency", str(self._concurrency), "--free-threads", "1"],
            cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def freeze(self, process: subprocess.Popen[bytes]) -> None:
        """SIGSTOP, between two transactions: what a frozen one holds locked, nobody can move until
        the database drops its connection."""
        while True:
            process.send_signal(signal.SIGSTOP)
            if _nothing_is_locked():
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(0.01)

    def kill_one(self, draw: random.Random) -> None:
        """Kill -9 any of them, and start another in its place."""
        victim = self.processes.pop(draw.randrange(len(self.processes)))
        victim.kill()
        victim.wait()
        self.kills += 1
        self.start()
