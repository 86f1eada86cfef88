"""Wake-ups through queues of Django's tasks: real workers of django-tasks-db and of RQ."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec

import pytest

from tests.engines.brokers import redis
from tests.settings import ROOT
from tests.soak.crowd import wait_until

WORKERS = {
    "db": ("db_worker", "--interval", "0.1", "--no-startup-delay"),
    "rq": ("rqworker", "default", "--job-class", "django_tasks_rq.Job"),
}

# Two queues with real workers of their own; ``tests/test_tasks.py`` has what is sent to them.
pytestmark = pytest.mark.matrix


class Shop:
    """A shop whose runs are worked off by a queue. Everything happens in processes of their own."""

    def __init__(self, home, queue, broker=""):
        self.home, self.queue, self.broker = home, queue, broker
        self.log = (home / "worker.log").open("w")
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.engines.queue_settings",
            "NB_TEST_HOME": str(home),
            "NB_TEST_QUEUE": queue,
            "NB_TEST_BROKER": broker,
        }
        self._run("-m", "django", "migrate", "--run-syncdb", "--verbosity", "0")

    def tell(self, *words):
        return json.loads(self._run("-m", "tests.engines.shop", *map(str, words)))

    def has_made(self, pictures):
        return self.rows("SELECT DISTINCT state FROM nb_catalog_imagejob") == [("succeeded",)] and (
            self.pictures() == pictures
        )

    def pictures(self):
        ((count,),) = self.rows("SELECT COUNT(*) FROM nb_catalog_productimage")
        return count

    def most_attempts(self):
        ((most,),) = self.rows("SELECT MAX(attempts) FROM nb_catalog_imagejob")
        return most

    def rows(self, question):
        with closing(sqlite3.connect(self.home / "db.sqlite3")) as database, database:
            return database.execute(question).fetchall()

    def lose_messages(self):
        if self.queue == "db":
            self.rows("DELETE FROM django_tasks_database_dbtaskresult")
        else:
            from redis import Redis

            Redis.from_url(self.broker).flushall()

    @contextmanager
    def worker(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "django", *WORKERS[self.queue]],
            cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)

    def _run(self, *arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(params=["db", "rq"])
def shop(request, tmp_path):
    package = {"db": "django_tasks_db", "rq": "django_tasks_rq"}[request.param]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    with ExitStack() as stack:
        broker = stack.enter_context(redis()) if request.param == "rq" else ""
        shop = Shop(tmp_path, request.param, broker)
        stack.callback(shop.log.close)
        yield shop


def test_a_run_is_worked_off(shop):
    shop.tell("start", 5)
    with shop.worker():
        wait_until(lambda: shop.has_made(5))
    assert shop.most_attempts() == 1


def test_lost_and_doubled_messages_change_nothing_but_the_time(shop):
    shop.tell("start", 2)
    shop.lose_messages()
    shop.tell("start", 2)
    shop.tell("wake", 4)
    with shop.worker():
        wait_until(lambda: shop.has_made(4))
    assert shop.most_attempts() == 1


@pytest.mark.long
def test_a_worker_that_is_killed_holds_nothing_up(shop):
    """The queue may think for ever that its task runs; the next message is enough."""
    shop.tell("start", 30)
    with shop.worker() as process:
        wait_until(lambda: shop.pictures() > 0)
        os.killpg(process.pid, signal.SIGKILL)
    assert 0 < shop.pictures() < 30, "the blow came too late"
    shop.tell("start", 1)
    with shop.worker():
        wait_until(lambda: shop.has_made(31) or shop.tell("wake", 1))
    assert shop.pictures() == 31
