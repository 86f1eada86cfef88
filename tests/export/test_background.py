"""Exports that a worker makes: whole or not at all, by one worker, deleted when their time is over."""

from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from nb_catalog import export, storage
from nb_catalog.export import background
from nb_catalog.models import Export, ProductImage
from nb_catalog.models.db.clock import database_now
from nb_catalog.operations import pruning
from tests.export.fixtures import approved

pytestmark = pytest.mark.django_db


def requested(number=2, **options):
    pictures = export.chosen([approved(size=(400 + each, 500)).pk for each in range(number)])
    options = export.ExportOptions(**{"pattern": "{image}.jpg", **options})
    return export.request_export(pictures, options, actor=None)


def files():
    return list(pruning.files_below(storage.catalog_storage(), "nb_catalog/exports"))


@pytest.fixture(autouse=True)
def _no_files_of_others():
    yield
    for name in files():
        storage.delete(name)


def test_it_has_what_an_export_in_one_request_has(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "EXPORT_DAYS": 3}
    row = requested(channels=("zalando",), longest_side=200)
    assert background.make_requested() == 1
    row.refresh_from_db()
    assert (row.state, row.done, row.left_out, row.attempts) == ("ready", 2, 0, 1)
    data = storage.read(row.file)
    assert len(data) == row.byte_size
    archive = ZipFile(BytesIO(data))
    assert len(archive.namelist()) == 4 and b"zalando" in archive.read("manifest.json")
    assert timedelta(days=2, hours=23) < row.expires_at - database_now() < timedelta(days=3)
    assert background.make_requested() == 0


def test_one_that_ends_while_it_is_deleted_leaves_no_file():
    seen = requested()
    background.make_requested()
    assert (seen.file, len(files())) == ("", 1)
    background.delete(seen)
    assert not Export.objects.exists() and not files()


def test_a_picture_that_is_gone_by_then_is_left_out():
    row = requested()
    storage.delete(str(row_image(row).file.name))
    background.make_requested()
    row.refresh_from_db()
    assert (row.state, row.left_out, row.done) == ("ready", 1, 2)


def row_image(row):
    return ProductImage.objects.get(pk=row.pictures[0][0])


def test_one_that_cannot_be_made_says_why_and_is_not_tried_again():
    row = requested(1)
    storage.delete(str(row_image(row).file.name))
    assert background.make_requested() == 0
    row.refresh_from_db()
    assert (row.state, row.file) == ("failed", "")
    assert "None of the pictures could be exported" in row.problem and row.expires_at


def test_a_worker_that_stops_leaves_it_to_the_next_and_no_file():
    row = requested(3)
    seen = []

    def is_stopping():
        seen.append(Export.objects.get().state)
        return len(seen) > 2

    assert background.make_requested(is_stopping=is_stopping) == 0
    row.refresh_from_db()
    assert (row.state, row.file, row.attempts, files()) == ("waiting", "", 0, [])
    assert background.make_requested() == 1


def test_another_worker_takes_it_only_when_the_first_is_believed_to_be_dead():
    row = requested()
    taken = background._take()
    assert taken == row and background.make_requested() == 0
    Export.objects.update(not_before=database_now() - timedelta(seconds=1))
    # The first was not dead, only slow: what it writes is thrown away.
    later = background._take()
    assert not background._make(taken, is_stopping=bool)
    assert files() == []
    assert background._make(later, is_stopping=bool)
    assert len(files()) == 1


def test_a_report_renews_the_lease_and_notices_a_cancellation(monkeypatch):
    monkeypatch.setattr(background, "BEAT_SECONDS", 0)
    requested(3)
    row = background._take()
    leases = []

    def is_stopping():
        leases.append(Export.objects.values_list("done", "not_before").first())
        if len(leases) == 3:
            background.delete(Export.objects.get())
        return False

    assert not background._make(row, is_stopping=is_stopping)
    assert [done for done, _until in leases] == [0, 1, 2]
    assert leases[0][1] < leases[1][1] < leases[2][1]
    assert files() == [] and not Export.objects.exists()


def test_a_storage_that_fails_is_tried_again(monkeypatch):
    row = requested()

    def full(*_arguments, **_options):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage.catalog_storage().__class__, "save", full)
        assert background.make_requested() == 0
    row.refresh_from_db()
    assert row.state == "waiting" and "failed to save" in row.problem and row.not_before
    Export.objects.update(not_before=None)
    assert background.make_requested() == 1
    row.refresh_from_db()
    assert row.problem == ""


def test_what_a_disk_says_is_for_the_log(monkeypatch):
    row = requested()

    def full(*_arguments, **_options):
        raise OSError("No space left on device: /srv/private")

    monkeypatch.setattr(background, "write_archive", full)
    assert background.make_requested() == 0
    row.refresh_from_db()
    assert row.state == "waiting" and "OSError" in row.problem and "/srv" not in row.problem


def test_a_slow_storage_has_the_time_that_a_large_file_takes(monkeypatch):
    row = requested()
    monkeypatch.setattr(background, "SLOWEST_STORAGE", 0.01)
    leased = []

    def store(file, **_options):
        leased.append(Export.objects.get().not_before - database_now())
        return "exports/a.zip"

    monkeypatch.setattr(storage, "store_file", store)
    assert background.make_requested() == 1
    row.refresh_from_db()
    assert leased[0] > background.LEASE + timedelta(seconds=row.byte_size * 99)


def test_one_that_ends_its_workers_is_given_up():
    row = requested()
    Export.objects.update(attempts=background.MOST_ATTEMPTS)
    background.make_requested()
    row.refresh_from_db()
    assert row.state == "failed" and "Every worker" in row.problem


def test_it_is_deleted_with_its_file_when_its_time_is_over():
    requested()
    background.make_requested()
    assert {*files()}.isdisjoint(pruning.orphaned_files()) and len(files()) == 1
    Export.objects.update(expires_at=database_now() - timedelta(seconds=1))
    background.make_requested()
    assert files() == [] and not Export.objects.exists()
