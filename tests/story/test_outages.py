"""What workers stand on goes away for a while: the database, the storage."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.utils import timezone

from nb_catalog import worker
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.worker import spool
from tests.cases import ordinary
from tests.soak import soak
from tests.soak.crowd import PATIENCE, Crowd, wait_until
from tests.soak.relay import relay
from tests.story.test_crowd import catalog, server, states, underway  # noqa: F401 - fixtures
from tests.worker.conftest import money_is_sound

pytestmark = [pytest.mark.story, pytest.mark.once, pytest.mark.django_db(transaction=True)]

# In full it is 20: longer than SQLite waits for a lock, and than any lease here.
SECONDS = float(os.environ.get("NB_OUTAGE_SECONDS", "4"))


@contextmanager
def outage():
    """(environment of the workers, what takes the database away from them for a while)"""
    if connection.vendor == "sqlite":
        yield {}, _locked
        return
    with tempfile.TemporaryDirectory(prefix="nb-") as home, relay(Path(home)) as (way, environment):

        def gone():
            way.cut()
            time.sleep(SECONDS)
            way.mend()

        yield environment, gone


def _locked():
    """SQLite cannot go away. Nobody can write while another holds its lock."""
    file = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(SECONDS)
        other.execute("ROLLBACK")


@pytest.mark.matrix
def test_a_database_that_goes_away_in_the_middle_loses_and_repeats_nothing(server, catalog):  # noqa: F811
    """Twice. Answers that come meanwhile wait on disk; leases run out, and nobody is paid again."""
    run = soak.start(60)
    with outage() as (environment, gone), Crowd(2, catalog=catalog, environment=environment):
        for done in (5, 25):
            wait_until(lambda done=done: states()["succeeded"] >= done)
            gone()
            assert underway(), "it came too late to be one"
        wait_until(lambda: not underway())
        wait_until(lambda: not states()["unknown"])
    assert states() == {"succeeded": 60}
    soak.nothing_is_lost_or_repeated(server, run)


class Moody(FileSystemStorage):
    """Every fifth write fails; half of those leave the first part of the file behind."""

    draw = random.Random(5)
    failures = 0

    def _save(self, name, content):
        mood = self.draw.random()
        if mood < 0.2:
            type(self).failures += 1
            if mood < 0.1:
                path = Path(self.path(name))
                path.parent.mkdir(parents=True, exist_ok=True)
                # "x", as Django's own storage writes: a file that is there may be linked elsewhere.
                with path.open("xb") as file:
                    file.write(content.read(100))
            raise OSError("the storage is in a mood")
        return super()._save(name, content)


@pytest.mark.parametrize("treatment", ordinary(["painted", "locked"], chosen=["painted"]))
def test_a_storage_that_fails_one_write_in_five_loses_no_picture(
    server, catalog, settings, tmp_path, treatment  # noqa: F811
):  # fmt: skip
    moody = {"BACKEND": "tests.story.test_outages.Moody", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "catalog": moody}
    # No lease runs out by itself, however busy the machine is.
    settings.NB_CATALOG = {**settings.NB_CATALOG, "STORAGE": "catalog", "LEASE_SECONDS": PATIENCE}
    before = Moody.failures
    run = soak.start(40, treatment=treatment)
    for _ in range(40):
        worker.drain()
        if not underway():
            break
        ImageJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert Moody.failures - before > 4
    assert states() == {"succeeded": 40}, "not one is unknown: the bytes were on disk"
    assert not list(spool.names())
    for image in ProductImage.objects.filter(job__run=run):
        with image.file.open() as file:
            assert len(file.read()) == image.byte_size
    again = ProviderCall.objects.exclude(outcome="picture")
    assert not list(again.values_list("job_id", "outcome", "error_code")), "each was called once"
    assert ImageJob.objects.filter(run=run).count() == server.count == 40
    money_is_sound()
