"""Pruning: what policy allows goes, and never what anything refers to."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import review
from nb_catalog import storage as files
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage, ReviewEvent
from nb_catalog.operations import pruning
from nb_catalog.publishing import placements
from nb_catalog.storage import catalog_storage
from tests import factories

pytestmark = pytest.mark.django_db


def there(image):
    return catalog_storage().exists(image.file.name)


def rejected(*, days=100, **fields):
    image = factories.image(**fields)
    review.reject(image, actor=None)
    past = timezone.now() - timedelta(days=days)
    ReviewEvent.objects.filter(image=image).update(at=past)
    ProductImage.objects.filter(pk=image.pk).update(created_at=past)
    image.refresh_from_db()
    return image


def pictures(colour, size=(40, 50)):
    return factories.photo_bytes(size, colour=colour)


def aged(name, *, days=3):
    past = time.time() - days * 86_400
    os.utime(catalog_storage().path(name), (past, past))


def pruned(**options):
    return pruning.prune(**{"days": 90, "orphans": False, **options})


def test_what_was_rejected_long_ago_loses_its_file_and_keeps_its_row():
    image, young = rejected(data=pictures("red")), rejected(days=80, data=pictures("blue"))
    done = pruned()
    assert (done.pictures, done.names) == (1, [image.file.name])
    assert done.bytes > 0
    image.refresh_from_db()
    assert image.pruned_at is not None and not there(image)
    assert there(young) and image.review_events.exists()
    assert pruned().pictures == 0, "once"


def test_a_dry_run_says_so_and_takes_nothing():
    image = rejected(data=pictures("red"))
    names = []
    done = pruned(dry_run=True, on_delete=names.append)
    assert (done.pictures, names) == (1, [image.file.name])
    image.refresh_from_db()
    assert there(image) and image.pruned_at is None


@pytest.mark.parametrize("state", ["pending", "approved", "retired"])
def test_other_pictures_stay(state):
    image = factories.image(data=pictures("red"), state=state)
    assert pruned().pictures == 0 and there(image)


def test_the_same_bytes_of_a_picture_that_is_kept_stay():
    same = pictures("red")
    image, kept = rejected(data=same), factories.image(data=same)
    assert image.file.name == kept.file.name
    done = pruned()
    assert (done.pictures, done.names) == (1, [])
    assert there(kept)


def test_what_another_picture_was_made_from_stays():
    ground = rejected(data=pictures("red"))
    composite = factories.image(data=pictures("blue"), parent=ground)
    assert pruned().pictures == 0 and there(ground)
    review.reject(composite, actor=None)
    ReviewEvent.objects.update(at=timezone.now() - timedelta(days=100))
    ProductImage.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert pruned().pictures == 2


def test_what_was_ever_published_stays():
    """Rolling back has to find it, whatever became of it since."""
    placement = factories.published()
    image = placement.image
    placements.withdraw(placement, actor=None)
    ProductImage.objects.filter(pk=image.pk).update(state="rejected")
    ReviewEvent.objects.create(image=image, move="reject", state="rejected")
    ReviewEvent.objects.update(at=timezone.now() - timedelta(days=100))
    assert pruned().pictures == 0 and there(image)


def test_who_changes_the_mind_too_late_is_told():
    image = rejected(data=pictures("red"))
    pruned()
    with pytest.raises(RequestRefused, match="its file was deleted"):
        review.reconsider(image, actor=None)
    image.refresh_from_db()
    assert image.state == "rejected"


def test_who_changes_the_mind_in_time_keeps_the_picture(monkeypatch):
    image = rejected(data=pictures("red"))
    listed = list(pruning.rejected_before(timezone.now() - timedelta(days=90)))
    review.reconsider(image, actor=None)
    done = pruning.Pruned()
    cutoff = timezone.now() - timedelta(days=90)
    pruning.prune_picture(listed[0], cutoff, done, dry_run=False, on_delete=lambda name: None)
    assert done.pictures == 0 and there(image)


def test_orphans_go_when_they_are_a_day_old():
    storage = catalog_storage()
    kept = factories.image(data=pictures("red"))
    old = storage.save("nb_catalog/originals/ab/orphan.png", ContentFile(b"x"))
    young = storage.save("nb_catalog/renditions/cd/young.webp", ContentFile(b"x"))
    foreign = storage.save("elsewhere/ours-not.png", ContentFile(b"x"))
    for name in (old, foreign, kept.file.name):
        aged(name)
    try:
        done = pruned(orphans=True)
        assert old in done.names and not storage.exists(old)
        assert storage.exists(young) and storage.exists(foreign) and there(kept)
    finally:
        for name in (young, foreign):
            storage.delete(name)


def backdrop(colour):
    """The file of a photo of a place, some days old, and its digest."""
    stored = files.store(pictures(colour), folder="backdrops", mime_type="image/png")
    aged(stored.name)
    return stored


def backdrops_in(done):
    """Names of pruned photos of places; other tests leave other files in the storage."""
    return [name for name in done.names if "/backdrops/" in name]


def test_a_photo_of_a_place_goes_when_no_scene_picture_or_job_names_it():
    now, before, waiting, unused = (backdrop(each) for each in ("red", "blue", "green", "grey"))
    factories.scene("room", backdrop=now.name, backdrop_sha256=now.sha256)
    mug = factories.product(photo=False)
    asked = {
        stored: replace(factories.spec(mug), backdrop=stored.sha256, backdrop_file=stored.name)
        for stored in (before, waiting)
    }
    factories.image(asked=asked[before])
    factories.job(asked=asked[waiting])
    young = files.store(pictures("black"), folder="backdrops", mime_type="image/png")
    assert backdrops_in(pruned(orphans=True, dry_run=True)) == [unused.name]
    assert backdrops_in(pruned(orphans=True)) == [unused.name]
    storage = catalog_storage()
    assert not storage.exists(unused.name)
    assert all(storage.exists(each.name) for each in (now, before, waiting, young))
    for each in (before, waiting, young):
        storage.delete(each.name)


def test_the_masks_of_edits_stay_while_a_picture_or_a_job_names_them():
    files_of = [
        files.store(pictures(colour), folder="masks", mime_type="image/png")
        for colour in ("#101010", "#202020", "#303030")
    ]
    for each in files_of:
        aged(each.name)
    area, cut, unused = files_of
    mug = factories.product(photo=False)
    factories.image(asked=replace(factories.spec(mug), edit={"area": {"file": area.name}}))
    factories.job(asked=replace(factories.spec(mug), edit={"mask": {"file": cut.name}}))
    gone = [name for name in pruned(orphans=True).names if "/masks/" in name]
    assert unused.name in gone and area.name not in gone and cut.name not in gone
    for each in (area, cut):
        catalog_storage().delete(each.name)


def test_specs_are_read_only_if_a_photo_of_a_place_is_about_to_be_deleted():
    kept = backdrop("red")
    factories.scene("room", backdrop=kept.name, backdrop_sha256=kept.sha256)
    with CaptureQueriesContext(connection) as queries:
        orphans = list(pruning.orphaned_files())
    assert kept.name not in orphans
    assert not any("backdrop_file" in each["sql"] for each in queries)


def test_a_storage_that_fails_leaves_an_orphan_for_the_next_time(monkeypatch, caplog):
    image = rejected(data=pictures("red"))
    broken = type(catalog_storage())

    def fails(self, name):
        raise OSError("read only")

    with monkeypatch.context() as patch:
        patch.setattr(broken, "delete", fails)
        assert pruned().names == []
    assert "could not be deleted" in caplog.text
    aged(image.file.name)
    assert image.file.name in pruned(orphans=True).names
    assert files.catalog_storage() is not None


def test_the_command_tells_what_it_does():
    image = rejected(data=pictures("red"))
    out = StringIO()
    call_command("nb_prune", "--dry-run", "--no-orphans", stdout=out)
    assert image.file.name in out.getvalue()
    assert "Would delete: 1 rejected picture, 0 orphaned files" in out.getvalue()
    call_command("nb_prune", "--no-orphans", stdout=out)
    assert "Deleted: 1 rejected picture" in out.getvalue()
    with pytest.raises(CommandError, match="at least 1"):
        call_command("nb_prune", "--days", "0", stdout=out)
