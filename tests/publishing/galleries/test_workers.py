"""Several processes deliver at the same time, and die at any moment."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, models

from nb_catalog import publishing
from nb_catalog.models import GalleryDelivery, Placement
from nb_catalog.operations import pruning
from nb_catalog.publishing import galleries
from nb_catalog.publishing.galleries import host_files, outbox
from tests.catalog.models import Lamp, LampPhoto
from tests.publishing.galleries.shop import GALLERIES, deliver, host_tables, publish, states


@pytest.mark.story
@pytest.mark.django_db(transaction=True)
def test_what_two_workers_deliver_at_once_is_delivered_once(lamp):
    before = host_tables()
    for position in range(4):
        publish(lamp, "gallery", position=position)
    publish(lamp)

    def work(_number):
        try:
            return galleries.deliver_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, range(2)))
    # On some databases, one of two transactions that wait for each other is to be tried again.
    assert sum(done) >= 6
    deliver()
    assert set(states().values()) == {"delivered"}
    positions = list(LampPhoto.objects.values_list("position", flat=True))
    assert positions == list(range(7))
    assert len(host_tables()[1]) == len(before[1]) + 6
    publishing.withdraw(*_placements(lamp, slot="hero"), actor=None)
    for placement in _placements(lamp, slot="gallery"):
        publishing.withdraw(placement, actor=None)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    deliver()
    assert host_tables() == before


def _placements(lamp, **place):
    return list(Placement.objects.about(lamp).filter(**place))


@pytest.mark.story
@pytest.mark.django_db
@pytest.mark.parametrize("gallery", GALLERIES)
@pytest.mark.parametrize("moment", ["store", "read", "discard"])
def test_a_worker_that_is_killed_leaves_no_file_behind(only, lamp, monkeypatch, gallery, moment):
    only(gallery)
    before = host_tables()

    def delivered_despite():
        """Deliver, killed at ``moment``, and deliver again."""
        step = getattr(host_files, moment)

        def killed(*args, **options):
            if moment != "discard":
                step(*args, **options)
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(host_files, moment, killed)
            with contextlib.suppress(SystemExit):
                deliver()
        deliver()
        assert not GalleryDelivery.objects.exclude(state="delivered", due_at=None).exists()

    for _n in range(2):
        placement = publish(lamp)
        delivered_despite()
        assert len(host_tables()[1]) == len(before[1]) + 1
    publishing.withdraw(placement, actor=None)
    delivered_despite()
    assert host_tables() == before and not GalleryDelivery.objects.exists()


@pytest.mark.django_db
def test_a_worker_that_wakes_up_too_late_writes_nothing_and_leaves_no_file(only, lamp, monkeypatch):
    only(GALLERIES[0])
    before = host_tables()
    publish(lamp)
    store = host_files.store

    def slow(*args, **options):
        name = store(*args, **options)
        monkeypatch.setattr(host_files, "store", store)
        # While this one has stored its file, its lease runs out, and another one does it all.
        deliver()
        return name

    monkeypatch.setattr(host_files, "store", slow)
    assert deliver() == 1
    row = GalleryDelivery.objects.get()
    assert row.state == "delivered" and row.stored == ""
    files = host_tables()[1]
    assert len(files) == len(before[1]) + 1 and Lamp.objects.get().image.name in files


@pytest.mark.django_db
def test_a_picture_that_is_published_while_another_is_being_delivered_wins(only, lamp, monkeypatch):
    only(GALLERIES[0])
    publish(lamp)
    store = host_files.store

    def slow(*args, **options):
        name = store(*args, **options)
        if host_files.store is slow:
            monkeypatch.setattr(host_files, "store", store)
            later.append(publish(lamp))
        return name

    later = []
    monkeypatch.setattr(host_files, "store", slow)
    deliver()
    deliver()
    row = GalleryDelivery.objects.get()
    assert row.written["image"] == later[0].image_id and row.state == "delivered"
    assert sum(map(galleries.is_delivered, host_tables()[1])) == 1


@pytest.mark.django_db
def test_what_the_host_saves_at_this_very_moment_is_not_overwritten(only, lamp, monkeypatch):
    only(GALLERIES[0])
    publish(lamp)
    store = host_files.store

    def while_the_host_saves(*args, **options):
        monkeypatch.setattr(host_files, "store", store)
        Lamp.objects.update(image_alt="Just now")
        return store(*args, **options)

    monkeypatch.setattr(host_files, "store", while_the_host_saves)
    deliver()
    row = GalleryDelivery.objects.get()
    assert Lamp.objects.get().image_alt == "Just now"
    assert row.problem == "The shop has changed its row at the same moment. It is tried again."
    deliver()
    row.refresh_from_db()
    assert row.state == "delivered" and row.before["image_alt"] == "Just now"


@pytest.mark.django_db
def test_what_is_being_delivered_is_left_to_the_worker_that_has_it(lamp):
    publish(lamp)
    GalleryDelivery.objects.update(due_at=models.F("due_at") + timedelta(minutes=10))
    assert galleries.deliver_due() == 0


@pytest.mark.django_db
def test_pruning_takes_back_what_was_delivered_for_products_that_are_gone(lamp):
    publish(lamp)
    deliver()
    Lamp.objects.all().delete()
    pruning.prune(days=90)
    deliver()
    assert not GalleryDelivery.objects.exists()
    assert not any(map(galleries.is_delivered, host_tables()[1]))


@pytest.mark.django_db
def test_publishing_many_pictures_takes_the_same_number_of_queries(
    lamp, django_assert_max_num_queries
):
    lamps = [Lamp.objects.create(name=f"Lamp {number}") for number in range(20)]
    placements = [publish(each) for each in lamps]
    changes = [
        ((each.content_type_id, each.object_id, "hero", "", 0), each.image) for each in placements
    ]
    with django_assert_max_num_queries(3):
        outbox.request(changes)
    with django_assert_max_num_queries(3):
        outbox.request((key, None) for key, _image in changes)
    assert Placement.objects.count() == 20
