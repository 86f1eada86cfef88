"""A disk without room: nothing more is paid for, what is paid for is not lost, and work goes on by itself."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import pytest

from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.worker import drain, execution, spool, work_is_waiting
from nb_catalog.worker.worker import Worker
from tests import factories
from tests.bad_input.conftest import job_of
from tests.soak.crowd import wait_until
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 2**20


class Disk:
    """A small disk of its own, with everything on it that a shop keeps on disks."""

    def __init__(self, home):
        self.home, self._ballast = home, home / "ballast"

    def fill(self):
        """Until not a byte more goes onto it."""
        with self._ballast.open("ab", buffering=0) as file:
            block = b"x" * MIB
            while block:
                try:
                    if file.write(block) < len(block):
                        raise OSError
                except OSError:
                    block = block[: len(block) // 2]

    def clear(self):
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path, settings):
    """Mounted, which only root may do: a double could not be as full as a disk is."""
    asked = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(tmp_path)]
    if os.getuid() or subprocess.run(asked, check=False, capture_output=True).returncode:
        pytest.skip("disks cannot be mounted here")
    catalog = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "media")},
    }
    settings.STORAGES = {**settings.STORAGES, "catalog": catalog}
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "STORAGE": "catalog",
        "STAGING_DIR": str(tmp_path / "staging"),
    }
    yield Disk(tmp_path)
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.fixture
def worker():
    """A worker in a thread, as a process of its own would be."""
    worker = Worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield worker
    worker.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_with_a_full_disk_nothing_is_paid_for(disk, script, start, caplog):
    disk.fill()
    product = factories.product()
    start(product, treatment="painted")
    assert drain() == {}, "it does not wait for ever"
    assert job_of(product).state == "queued" and script.count == 0
    assert not work_is_waiting(), "or tasks would wake each other without end"
    assert caplog.text.count("The disk of STAGING_DIR is full") == 1

    disk.clear()
    assert drain() == {"succeed": 1}


def test_a_disk_that_fills_up_during_a_call_costs_no_picture(
    disk, script, start, worker, monkeypatch, caplog
):
    """The answer lies in memory alone until there is room again. Nothing is asked for twice."""
    monkeypatch.setattr(execution, "AGAIN_SECONDS", 0.2)
    script.seconds = 0.5
    product = factories.product()
    start(product, treatment="painted")
    wait_until(lambda: script.in_flight == 1)
    disk.fill()
    wait_until(lambda: "it is in memory only" in caplog.text)
    time.sleep(0.5)
    assert caplog.text.count("it is in memory only") == 1
    assert job_of(product).state == "calling" and not ProductImage.objects.exists()
    disk.clear()
    wait_until(lambda: job_of(product).state == "succeeded")
    assert script.count == ProviderCall.objects.count() == ProductImage.objects.count() == 1
    # Its bytes go once the row is committed, a moment later.
    wait_until(lambda: not list(spool.names()))
    assert money_is_sound() > 0
    with ProductImage.objects.get().file.open() as file:
        assert file.read().startswith(b"\x89PNG")


def test_free_work_is_still_taken_up(disk, local, start):
    """It costs nothing to try, and a person can ask again."""
    disk.fill()
    product = factories.product()
    start(product)
    assert drain() == {"defer": 1}
    assert ImageJob.objects.get().error_code == "storage_failed"
    disk.clear()


def test_a_file_half_written_is_not_left_behind(disk, script, start, settings):
    (disk.home / "staging").mkdir()
    disk.fill()
    from nb_catalog.providers.types import ImageResult

    with pytest.raises(OSError, match="No space left"):
        spool.put("1.1.me", ImageResult(data=b"x" * MIB, mime_type="image/png"))
    assert not list(disk.home.glob("staging/*.writing")) and not list(spool.names())
    disk.clear()
