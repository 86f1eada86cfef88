"""Bytes under names made of their hash."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from nb_catalog import storage as files
from nb_catalog.exceptions import PictureMissing, StorageFailed
from nb_catalog.storage import catalog_storage
from tests import factories
from tests.bad_input.plugs import Outage

DATA = factories.photo_bytes((30, 40))


@pytest.fixture
def outage(settings, tmp_path):
    """A storage of this test's own, which takes everything until it is told otherwise."""
    outage = Outage(0)
    backend = {
        "BACKEND": "tests.bad_input.plugs.FailingStorage",
        "OPTIONS": {"outage": outage, "location": tmp_path},
    }
    settings.STORAGES = {**settings.STORAGES, "catalog": backend}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "STORAGE": "catalog"}
    return outage


def test_the_name_is_the_hash_in_a_folder_of_its_first_digits(outage):
    digest = sha256(DATA).hexdigest()
    stored = files.store(DATA, folder="originals", mime_type="image/png")
    assert stored.sha256 == digest
    assert stored.name == f"nb_catalog/originals/{digest[:2]}/{digest}.png"
    assert files.read(stored.name) == DATA


def test_the_same_bytes_are_written_once(outage):
    first = files.store(DATA, folder="originals", mime_type="image/png")
    assert files.store(DATA, folder="originals", mime_type="image/png") == first
    assert outage.asked == 1


@pytest.mark.parametrize(
    ("mime_type", "extension"),
    [("image/jpeg", ".jpg"), ("image/webp", ".webp"), ("image/avif", ".avif"), ("x/y", ".bin")],
)
def test_the_extension_is_that_of_the_type(outage, mime_type, extension):
    assert files.store(DATA, folder="f", mime_type=mime_type).name.endswith(extension)


def test_a_storage_that_fails_says_what_is_not_lost_and_hides_the_storage_s_words(outage):
    outage.failures = 1
    with pytest.raises(StorageFailed) as failure:
        files.store(DATA, folder="originals", mime_type="image/png")
    assert failure.value.retryable
    assert "ConnectionResetError" in str(failure.value)
    assert "Nothing is lost" in str(failure.value)
    assert "hung up" not in str(failure.value)
    assert isinstance(failure.value.__cause__, ConnectionResetError)


def test_a_file_that_is_gone_is_told_by_name():
    with pytest.raises(PictureMissing, match=r"'nb_catalog/none\.png' is not in the storage"):
        files.read("nb_catalog/none.png")


def test_a_storage_that_gives_nothing_says_so(outage):
    stored = files.store(DATA, folder="originals", mime_type="image/png")
    outage.gives = False
    with pytest.raises(
        StorageFailed, match=r"failed to read .*\(ConnectionResetError\)"
    ) as failure:
        files.read(stored.name)
    assert "hung up" not in str(failure.value)


def test_a_setting_picks_the_storage(outage, settings):
    stored = files.store(DATA, folder="originals", mime_type="image/png")
    assert storages["catalog"].exists(stored.name)
    assert not storages["default"].exists(stored.name)


def test_a_file_on_the_same_disk_is_linked_and_stays(tmp_path):
    source = tmp_path / "staged"
    source.write_bytes(b"picture")
    stored = files.store(b"picture", folder="t", mime_type="image/png", on_disk=source)
    target = Path(catalog_storage().path(stored.name))
    assert target.read_bytes() == source.read_bytes() == b"picture"
    assert [each.name for each in tmp_path.iterdir()] == ["staged"]
    if os.stat(tmp_path).st_dev == os.stat(target.parent).st_dev:
        assert os.path.samefile(source, target)


def test_a_disk_without_links_is_written_to(tmp_path):
    missing = tmp_path / "gone"
    stored = files.store(b"other picture", folder="t", mime_type="image/png", on_disk=missing)
    assert files.read(stored.name) == b"other picture"


class ReadingStorage(FileSystemStorage):
    """A host's own kind, which reads what it is given: to encrypt it, say."""

    def _save(self, name, content):
        return super()._save(name, ContentFile(content.read()[::-1]))


def test_a_host_s_kind_of_file_storage_may_read_what_is_staged(settings, tmp_path):
    backend = {
        "BACKEND": f"{__name__}.ReadingStorage",
        "OPTIONS": {"location": tmp_path / "kept"},
    }
    settings.STORAGES = {**settings.STORAGES, "catalog": backend}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "STORAGE": "catalog"}
    source = tmp_path / "staged"
    source.write_bytes(b"picture")
    stored = files.store(b"picture", folder="t", mime_type="image/png", on_disk=source)
    assert files.read(stored.name) == b"erutcip"
    assert source.read_bytes() == b"picture"


def test_the_first_part_of_a_file_is_not_taken_for_the_whole():
    """A disk that was full, or a kill in the middle of a write, leaves one behind."""
    data = b"all of the picture"
    stored = files.store(data, folder="originals", mime_type="image/png")
    path = Path(catalog_storage().path(stored.name))
    path.write_bytes(data[:5])
    again = files.store(data, folder="originals", mime_type="image/png")
    assert again == stored and path.read_bytes() == data


class Slow(FileSystemStorage):
    """Writes a file in two halves, with a moment between them."""

    def _save(self, name, content):
        data, path = content.read(), Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(0.2)
            file.write(data[len(data) // 2 :])
        path.chmod(0o644)
        return name


def test_two_threads_with_the_same_bytes_do_not_take_each_other_s_file_away(tmp_path, monkeypatch):
    storage = Slow(location=tmp_path)
    monkeypatch.setattr(files, "catalog_storage", lambda: storage)
    with ThreadPoolExecutor(4) as threads:
        stored = list(
            threads.map(
                lambda _: files.store(DATA, folder="originals", mime_type="image/png"), range(4)
            )
        )
    assert len({each.name for each in stored}) == 1 and files.read(stored[0].name) == DATA
