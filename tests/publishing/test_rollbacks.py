"""Many places rolled back as one: a run, a publication, a series, a moment. Exactly what was there."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, PlacementEvent, ProductImage, Publication
from nb_catalog.models.generic import object_key, own_key
from nb_catalog.operations.search import found_keys
from nb_catalog.publishing import placements, places, rollbacks
from nb_catalog.publishing.rollbacks import scope_of
from nb_catalog.storefront.moments import parse_moment
from tests import factories
from tests.catalog.catalog_images import MugSource, PosterSource
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }


def rows():
    """Every place with what pages read of it."""
    columns = (*placements.places.PLACE, "image_id", "picture_data", "stale_since", "next_base_id")
    return sorted(Placement.objects.values_list(*columns), key=str)


def of_run(mugs, run):
    return [
        factories.image(mug, state=ImageState.APPROVED, job=factories.job(mug, of=run))
        for mug in mugs
    ]


def mixed_shop():
    """Places of which one is empty, one shows a picture, one has a history and one is of a language."""
    mugs = [factories.product() for _ in range(4)]
    factories.published(mugs[1])
    factories.published(mugs[2])
    factories.published(mugs[2])
    factories.published(mugs[3], locale="de")
    return mugs


def publish(images, **place):
    for image in images:
        placements.publish(image, slot="hero", actor=None, **place)


def moment():
    """A moment between the changes before this call and those after it."""
    last = PlacementEvent.objects.order_by("-id").values_list("at", flat=True).first()
    return last


def back(**about):
    return rollbacks.roll_back_all(scope_of(**about), actor=None)


@pytest.mark.story
def test_a_run_is_rolled_back_to_exactly_what_was_there_and_forth_again():
    mugs, run = mixed_shop(), factories.run()
    before = rows()
    images = of_run(mugs, run)
    publish(images)
    publish(images[3:], locale="de")
    after = rows()
    assert after != before
    record = back(run=run)
    assert rows() == before
    assert (record.kind, record.events.count()) == ("roll_back", 5)
    back(publication=record)
    assert rows() == after
    back(run=run)
    assert rows() == before


@pytest.mark.story
def test_the_shop_is_as_it_was_at_a_moment_whatever_happened_since():
    mugs = mixed_shop()
    before, then = rows(), moment()
    publish(of_run(mugs, factories.run()))
    placements.roll_back(mugs[0], slot="hero", actor=None)
    placements.withdraw(Placement.objects.about(mugs[1]).get(), actor=None)
    publish(of_run(mugs[:3], factories.run()))
    factories.published(mugs[0], slot="gallery")
    after = rows()
    record = back(moment=then)
    assert rows() == before
    back(publication=record)
    assert rows() == after


def test_a_moment_of_some_products_and_slots_leaves_all_others(mixed=mixed_shop):
    mugs = mixed()
    then = moment()
    images = of_run(mugs[:2], factories.run())
    publish(images)
    placements.publish(images[0], slot="gallery", actor=None)
    back(moment=then, keys=[object_key(mugs[0])], slots=["hero"])
    shown = set(Placement.objects.values_list("object_id", "slot", "image_id"))
    assert (str(mugs[0].pk), "gallery", images[0].pk) in shown
    assert (str(mugs[1].pk), "hero", images[1].pk) in shown
    assert not Placement.objects.about(mugs[0]).filter(slot="hero").exists()


@pytest.fixture
def posters_of_a_motif(monkeypatch):
    """Posters are found by a word in another table: each has two photos that the word occurs in."""
    monkeypatch.setattr(PosterSource, "search_fields", ("photos__image",))
    return [factories.poster(photos=2) for _ in range(2)]


@pytest.mark.story
def test_only_what_a_search_finds_is_rolled_back(posters_of_a_motif):
    mug, then = factories.product(), timezone.now() - timedelta(days=1)
    for product in (mug, *posters_of_a_motif):
        factories.published(product)
    keys = found_keys("poster-")
    assert keys == {object_key(poster) for poster in posters_of_a_motif}
    assert back(moment=then, keys=keys).events.count() == 2
    assert Placement.objects.get() == Placement.objects.about(mug).get()


@pytest.mark.story
def test_any_number_of_products_is_rolled_back_in_queries_of_bounded_length():
    most = 2 * places.BLOCK
    Mug.objects.bulk_create(Mug(name=f"Tall mug {number}") for number in range(10_000))
    mugs = [Mug.objects.first(), Mug.objects.last()]
    then = timezone.now() - timedelta(days=1)
    for mug in (*mugs, factories.product()):
        factories.published(mug)
    lengths = []

    def measure(execute, sql, params, many, context):
        lengths.append(len(params or ()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(measure):
        keys = found_keys("tall")
        scope = scope_of(moment=then, keys=keys, slots=["hero"])
        assert len(keys) == 10_000 and len(rollbacks.preview(scope).restored) == 2
        record = rollbacks.roll_back_all(scope, actor=None)
    assert record.events.count() == 2 and Placement.objects.count() == 1
    assert max(lengths) < most


def test_the_missing_files_of_all_products_are_made_in_the_time_of_one(settings, monkeypatch):
    monkeypatch.setattr(places, "BLOCK", 1)
    mugs = [factories.product(photo=False) for _ in range(3)]
    for mug in mugs:
        factories.published(mug)
    then = moment()
    publish(of_run(mugs, factories.run()))
    settings.NB_CATALOG = {**settings.NB_CATALOG, "RENDITION_FORMATS": ["jpeg", "webp"]}
    scope = scope_of(moment=then, keys=[object_key(mug) for mug in mugs])
    with pytest.raises(RequestRefused, match="of 1 of 3 pictures are made so far"):
        rollbacks.make_files(scope, seconds=0)


@pytest.mark.parametrize("term", ["no such mug", "", " "])
def test_a_search_that_finds_nothing_is_refused(term):
    factories.product()
    with pytest.raises(RequestRefused, match="No products are found for “"):
        found_keys(term)


def test_a_search_finds_variants_whose_pictures_are_those_of_their_subject(monkeypatch):
    mug, other = (factories.product(photo=False, name=name) for name in ("Tall", "Other"))
    monkeypatch.setattr(MugSource, "subject", lambda self, product: other)
    assert found_keys("tall") == {own_key(other)} != {own_key(mug)}


def test_what_a_person_published_between_two_pictures_of_a_run_comes_back():
    mug, run = factories.product(), factories.run()
    publish(of_run([mug], run))
    own = factories.published(mug)
    publish(of_run([mug], run))
    back(run=run)
    assert Placement.objects.get().image_id == own.image_id


def test_places_that_somebody_changed_since_refuse_it_unless_they_may_stay():
    mugs, run = [factories.product() for _ in range(3)], factories.run()
    publish(of_run(mugs, run))
    own = factories.published(mugs[1])
    scope = scope_of(run=run)
    preview = rollbacks.preview(scope)
    assert (len(preview.restored), len(preview.changed), len(preview.cannot)) == (2, 1, 0)
    with pytest.raises(RequestRefused, match="Somebody has changed 1 of these places since"):
        rollbacks.roll_back_all(scope, actor=None)
    assert Placement.objects.count() == 3
    rollbacks.roll_back_all(scope, actor=None, partial=True)
    assert Placement.objects.get().image_id == own.image_id


def test_a_picture_that_was_retired_since_is_named_before_anything_changes():
    mugs = [factories.product() for _ in range(2)]
    first = [factories.published(mug).image for mug in mugs]
    run = factories.run()
    publish(of_run(mugs, run))
    ProductImage.objects.filter(pk=first[0].pk).update(state=ImageState.RETIRED)
    before = rows()
    [cannot] = rollbacks.preview(scope_of(run=run)).cannot
    assert f"Picture {first[0].pk} was there before and is retired now" in cannot.problem
    with pytest.raises(RequestRefused, match="is retired now"):
        back(run=run)
    assert rows() == before
    rollbacks.roll_back_all(scope_of(run=run), actor=None, partial=True)
    assert Placement.objects.about(mugs[1]).get().image_id == first[1].pk
    assert Placement.objects.about(mugs[0]).get().image_id != first[0].pk


def test_the_button_of_a_place_goes_on_where_a_roll_back_of_the_whole_ended():
    mug = factories.product()
    first, second = factories.published(mug), factories.published(mug)
    run = factories.run()
    publish(of_run([mug], run))
    back(run=run)
    assert Placement.objects.get().image_id == second.image_id
    placements.roll_back(mug, slot="hero", actor=None)
    assert Placement.objects.get().image_id == first.image_id


@pytest.mark.parametrize("about", [{}, {"run": 1, "moment": 2}])
def test_one_thing_is_rolled_back_at_a_time(about):
    values = {"run": factories.run(), "moment": timezone.now()}
    with pytest.raises(RequestRefused, match="one of publication, series, run and moment"):
        scope_of(**{name: values[name] for name in about})


def test_nothing_is_rolled_back_twice_and_nothing_that_is_yet_to_come():
    mug, run = factories.product(), factories.run()
    publish(of_run([mug], run))
    record = back(run=run)
    with pytest.raises(RequestRefused, match="Nothing is to be rolled back"):
        back(run=run)
    back(publication=record)
    record.refresh_from_db()
    with pytest.raises(RequestRefused, match=f"Publication {record.pk} is undone already"):
        back(publication=record)
    with pytest.raises(RequestRefused, match="yet to come"):
        scope_of(moment=timezone.now() + timedelta(hours=1))


def test_of_two_who_roll_the_same_back_at_once_the_second_is_told():
    mug, run = factories.product(), factories.run()
    publish(of_run([mug], run))
    record = back(run=run)
    scope = scope_of(publication=record)
    back(publication=Publication.objects.get(pk=record.pk))
    with pytest.raises(InvalidTransition, match="Somebody else has rolled back"):
        rollbacks.roll_back_all(scope, actor=None, partial=True)


def test_a_roll_back_takes_a_constant_number_of_queries():
    def queries(number):
        mugs, run = [factories.product(photo=False) for _ in range(number)], factories.run()
        for mug in mugs[1:]:
            factories.published(mug)
        publish(of_run(mugs, run))
        with CaptureQueriesContext(connection) as captured:
            back(run=run)
        return len(captured)

    queries(2)
    assert queries(3) == queries(30)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", "is not a time"),
        ("2026-13-01T10:00", "is not a time"),
        ("2026-03-29T02:30", "never show 2026-03-29 02:30"),
        ("2026-10-25T02:30", "show 2026-10-25 02:30 twice"),
    ],
)
def test_a_moment_that_the_shops_clocks_do_not_show_once_is_refused(settings, text, message):
    settings.TIME_ZONE = "Europe/Berlin"
    with pytest.raises(RequestRefused, match=message):
        parse_moment(text)


def test_a_moment_is_in_the_shops_time_zone_or_has_its_own_offset(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    assert parse_moment("2026-07-01T14:00").isoformat() == "2026-07-01T14:00:00+02:00"
    assert parse_moment("2026-10-25T02:30:00+01:00").isoformat() == "2026-10-25T02:30:00+01:00"


# The command.


def test_the_command_rolls_back_what_a_search_finds():
    tall, other = factories.product(name="Tall mug"), factories.product(name="Small mug")
    for mug in (tall, other):
        factories.published(mug)
    at = ("--at", "2026-01-01T10:00", "--no-input")
    assert "1 place rolled back." in command(*at, "--search", "tall mug")
    assert Placement.objects.get() == Placement.objects.about(other).get()
    for term in ("nothing", ""):
        with pytest.raises(CommandError, match="No products are found for"):
            command(*at, "--search", term)
    with pytest.raises(CommandError, match="not allowed with argument"):
        command(*at, "--search", "mug", "--product", f"testcatalog.mug:{other.pk}")
    assert Placement.objects.exists()


def command(*args):
    written = StringIO()
    call_command("nb_rollback", *args, stdout=written)
    return written.getvalue()


def test_the_command_shows_what_changes_and_then_does_it(monkeypatch):
    mug, run = factories.product(), factories.run(title="Autumn")
    publish(of_run([mug], run))
    shown = command("--run", str(run.pk), "--dry-run")
    assert f"Run {run.pk}: Autumn:" in shown and "1 place changes." in shown
    assert Placement.objects.exists()
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        command("--run", str(run.pk))
    done = command("--run", str(run.pk), "--no-input")
    assert "1 place rolled back." in done and not Placement.objects.exists()
    key = str(Publication.objects.get().pk)
    assert "nb_rollback --publication " + key in done
    command("--publication", key, "--no-input")
    assert Placement.objects.exists()


def test_the_command_names_what_does_not_exist():
    wrong = [
        (["--run", "7"], "--run 7: there is none"),
        (["--series", "autumn"], "--series autumn: there is none"),
        (["--at", "noon"], "is not a time"),
        (["--at", "2026-01-01T10:00", "--product", "mug"], "expected model and key"),
        (["--at", "2026-01-01T10:00", "--product", "testcatalog.mug:x"], "no such product"),
        (["--at", "2026-01-01T10:00", "--product", "shop.nothing:1"], "shop.nothing"),
    ]
    for arguments, message in wrong:
        with pytest.raises(CommandError, match=message):
            command(*arguments)
