"""``rollbacks/``: previewed, carried out once, and refused with every reason."""

import pytest

from nb_catalog.api import rollbacks as views
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, Publication
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db

MUG = "testcatalog.mug"


@pytest.fixture
def api(api_as, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip
    return api_as(Permission.PUBLISH)


def published_run(*mugs):
    run = factories.run()
    for mug in mugs:
        image = factories.image(mug, state=ImageState.APPROVED, job=factories.job(mug, of=run))
        placements.publish(image, slot="hero", actor=None)
    return run


def test_a_run_is_previewed_and_rolled_back_once(api):
    mugs = [factories.product() for _ in range(2)]
    before = factories.published(mugs[0]).image_id
    run = published_run(*mugs)
    preview = api.post("rollbacks/", {"run": run.pk, "dry_run": True})
    assert (preview.status_code, preview.data["publication"], preview.data["restored"]) == (
        200, None, 2
    )  # fmt: skip
    assert [each["before"] for each in preview.data["places"]] == [before, None]
    assert Placement.objects.count() == 2
    body = {"run": run.pk, "key": "mine"}
    done = api.post("rollbacks/", body)
    assert (done.status_code, done.data["restored"]) == (201, 2)
    assert Placement.objects.get().image_id == before
    assert api.post("rollbacks/", body).data == done.data
    assert Publication.objects.get().actor == api.user
    again = api.post("rollbacks/", {"publication": done.data["publication"]})
    assert again.status_code == 201 and Placement.objects.count() == 2


def test_only_some_objects_and_slots_are_rolled_back_to_a_moment(api):
    mugs = [factories.product() for _ in range(2)]
    published_run(*mugs)
    body = {
        "at": "2026-01-01T10:00:00+01:00",
        "model": "testcatalog.mug",
        "objects": [mugs[0].pk],
        "slots": ["hero"],
    }
    assert api.post("rollbacks/", body).data["restored"] == 1
    assert Placement.objects.get().object_id == str(mugs[1].pk)


def test_only_objects_that_a_search_finds_are_rolled_back(api):
    tall, other = (factories.product(name=name) for name in ("Tall mug", "Small mug"))
    poster = factories.poster(title="Tall poster")
    for product in (tall, other, poster):
        factories.published(product)
    body = {"at": "2026-01-01T10:00:00+01:00", "model": "testcatalog.mug", "search": "tall"}
    preview = api.post("rollbacks/", body | {"dry_run": True})
    assert [each["object"] for each in preview.data["places"]] == [str(tall.pk)]
    assert api.post("rollbacks/", body | {"key": "mine"}).data["restored"] == 1
    assert set(Placement.objects.values_list("object_id", flat=True)) == {
        str(other.pk), str(poster.pk)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 422, "Say what is to be rolled back"),
        ({"run": 10**18}, 400, "run"),
        ({"run": "x"}, 400, "run"),
        ({"series": "autumn"}, 400, "series"),
        ({"at": "noon"}, 400, "at"),
        ({"at": "2126-01-01T10:00Z"}, 422, "yet to come"),
        ({"at": "2026-01-01T10:00Z"}, 422, "Nothing is to be rolled back"),
        ({"at": "2026-01-01T10:00Z", "objects": ["1"]}, 400, "together"),
        ({"at": "2026-01-01T10:00Z", "search": "x"}, 400, "together"),
        ({"at": "2026-01-01T10:00Z", "model": "testcatalog.mug"}, 400, "together"),
        (
            {"at": "2026-01-01T10:00Z", "model": MUG, "objects": ["1"], "search": "x"},
            400,
            "not both",
        ),
        ({"at": "2026-01-01T10:00Z", "model": MUG, "search": "x"}, 422, "No products are found"),
        ({"at": "2026-01-01T10:00Z", "model": MUG, "search": " "}, 400, "search"),
        ({"at": "2026-01-01T10:00Z", "model": "a.b", "objects": ["1"]}, 404, "a.b"),
        ({"at": "2026-01-01T10:00Z", "model": "a.b", "search": "x"}, 404, "a.b"),
        ({"when": "now"}, 400, "when"),
    ],
)
def test_what_cannot_be_rolled_back_is_refused(api, body, status, text):
    answer = api.post("rollbacks/", body)
    assert (answer.status_code, text in str(answer.data)) == (status, True), answer.data


def test_only_publishers_roll_back(api_as):
    assert api_as().post("rollbacks/", {"run": 1}).status_code == 403
    assert api_as(Permission.PUBLISH).get("rollbacks/").status_code in (403, 405)


@pytest.mark.parametrize("key", [{}, {"key": "mine"}])
def test_a_roll_back_with_many_missing_files_is_done_after_some_requests(
    api, settings, monkeypatch, key
):
    mugs = [factories.product() for _ in range(2)]
    for mug in mugs:
        factories.published(mug)
    run = published_run(*mugs)
    settings.NB_CATALOG = {**settings.NB_CATALOG, "RENDITION_FORMATS": ["jpeg", "webp"]}
    monkeypatch.setattr(views, "REQUEST_SECONDS", 0)
    statuses = [api.post("rollbacks/", {"run": run.pk, **key}).status_code for _ in range(3)]
    assert 201 in statuses, statuses


def test_a_repeated_roll_back_of_a_publication_is_answered(api):
    run = published_run(factories.product())
    undone = api.post("rollbacks/", {"run": run.pk}).data["publication"]
    body = {"publication": undone, "key": "mine"}
    first, again = (api.post("rollbacks/", body) for _ in range(2))
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
