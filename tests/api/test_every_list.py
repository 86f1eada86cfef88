"""Every list is read whole through ``next``, each row once, while others write."""

import copy

import pytest

from nb_catalog.models import Export
from tests import factories
from tests.api import described
from tests.api.conftest import Api
from tests.api.test_long_pages import path_of

pytestmark = [pytest.mark.matrix, pytest.mark.once, pytest.mark.django_db]

ROWS = 10_501
# What must differ, as text that is a key of a product, too.
UNIQUE = ("key", "plan_key", "object_id")


def copies(row, count, *, first=0):
    """``count`` rows like ``row``, as different as they must be."""
    columns = {field.attname for field in row._meta.concrete_fields}
    rows = []
    for number in range(first, first + count):
        each = copy.copy(row)
        each.pk, each._state = None, copy.copy(row._state)
        each._state.adding = True
        for name in columns.intersection(UNIQUE):
            setattr(each, name, str(10_000_000 + number))
        if "live_key" in columns:
            each.live_key = None
        rows.append(each)
    return rows


def one_row(path):
    if path == "layouts/":
        return factories.layout()
    if path == "decks/":
        return factories.deck()
    makers = {
        "scenes/": factories.scene, "runs/": factories.run, "jobs/": factories.job,
        "images/": factories.image, "placements/": factories.published, "cutouts/": factories.cutout,
        "gallery-deliveries/": factories.gallery_delivery,
        "exports/": lambda: Export.objects.create(pictures=[], options={}, total=0),
    }  # fmt: skip
    if path in makers:
        return makers[path]()
    mug = factories.product(photo=False)
    if path == "experiments/":
        return factories.experiment(mug)
    series = factories.series(mug)
    return series.members.get() if path == "series/autumn/members/" else series


LISTS = (
    ("scenes/", "key"), ("layouts/", "key"), ("decks/", "key"), ("runs/", "id"), ("jobs/", "id"),
    ("images/", "id"), ("placements/", "id"), ("cutouts/", "id"), ("experiments/", "id"),
    ("series/", "key"), ("series/autumn/members/", "key"), ("gallery-deliveries/", "id"), ("exports/", "id"),
)  # fmt: skip


@pytest.fixture
def root(db, monkeypatch):
    # Which would take most of the time, and has compared rows of each of them before.
    monkeypatch.setattr(described, "check", lambda response: None)
    return Api(factories.superuser())


@pytest.mark.parametrize(("path", "name"), LISTS, ids=[path for path, _name in LISTS])
def test_a_list_is_walked_once_while_rows_are_written(root, path, name):
    row = one_row(path)
    model = type(row)._default_manager
    model.bulk_create(copies(row, ROWS - 1))
    expected = {getattr(each, {"key": "key", "id": "pk"}[name]) for each in model.all()}
    assert len(expected) >= ROWS
    found, address, pages = [], f"{path}?page_size=200", 0
    while address:
        body = root.get(address).json()
        found += [each[name] for each in body["results"]]
        address = path_of(body["next"])
        pages += 1
        if pages % 10 == 0:
            model.bulk_create(copies(row, 5, first=ROWS * pages))
        assert pages < 60
    assert len(found) == len(set(found)) and expected <= set(found)
