"""``publications/``: published as one, scheduled, followed, cancelled, and refused with every reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, Publication
from nb_catalog.publishing import work_on_publications
from tests import factories
from tests.api.conftest import BASE

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(api_as, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip
    return api_as(Permission.PUBLISH)


def approved(number, **fields):
    return [
        factories.image(factories.product(photo=False), state=ImageState.APPROVED, **fields)
        for _ in range(number)
    ]


def placed(*images):
    return [{"image": image.pk, "slot": "hero"} for image in images]


def ahead(**time):
    return (timezone.now() + timedelta(**time)).isoformat()


def test_pictures_are_published_by_a_worker_and_followed_meanwhile(api):
    images = approved(2)
    body = {"pictures": placed(*images), "key": "mine"}
    asked = api.post("publications/", body)
    assert (asked.status_code, asked.data["state"]) == (201, "waiting"), asked.data
    assert (asked.data["ready"], asked.data["total"]) == (0, 2)
    assert api.post("publications/", body).data == asked.data
    work_on_publications()
    done = api.get(f"publications/{asked.data['id']}/").data
    assert (done["state"], done["ready"], done["changed"]) == ("published", 2, 2)
    assert Placement.objects.count() == 2
    [row] = api.get("publications/", {"state": "published"}).data["results"]
    assert (row["id"], row["actor"]) == (done["id"], api.user.get_username())


def test_the_approved_pictures_of_a_run_are_published_as_one(api):
    run = factories.run()
    for state in (ImageState.APPROVED, ImageState.APPROVED, ImageState.REJECTED):
        mug = factories.product(photo=False)
        factories.image(mug, state=state, job=factories.job(mug, of=run))
    asked = api.post("publications/", {"run": run.pk, "slot": "hero"}).data
    work_on_publications()
    assert (asked["kind"], asked["run"], Placement.objects.count()) == ("run", run.pk, 2)


def test_a_schedule_is_made_changed_and_cancelled(api):
    [image] = approved(1)
    body = {"pictures": placed(image), "starts_at": ahead(hours=1), "ends_at": ahead(hours=2)}
    asked = api.post("publications/", body).data
    address = f"publications/{asked['id']}/"
    overlap = api.post("publications/", body)
    assert (overlap.status_code, overlap.data["code"]) == (422, "request_refused")
    assert "has the slot “hero”" in overlap.data["detail"]
    assert "Choose another time, or cancel it" in overlap.data["detail"]
    later = {"starts_at": ahead(hours=3), "ends_at": None}
    changed = api.client.put(BASE + address + "schedule/", later, content_type="application/json")
    assert (changed.status_code, changed.data["ends_at"]) == (200, None)
    assert api.post(address + "cancel/").data["state"] == "cancelled"
    assert api.post(address + "cancel/").status_code == 409
    assert api.post(address + "retry/").status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "Give pictures, or a run"),
        ({"pictures": []}, 400, "pictures"),
        ({"pictures": [{"image": 10**9, "slot": "hero"}]}, 400, "1000000000"),
        ({"pictures": [{"image": 1}]}, 400, "slot"),
        ({"run": 10**9, "slot": "hero"}, 400, "run"),
        ({"slot": "hero"}, 400, "pictures"),
    ],
)
def test_what_is_not_a_publication_is_refused(api, body, status, text):
    answer = api.post("publications/", body)
    assert (answer.status_code, text in str(answer.data)) == (status, True), answer.data
    assert not Publication.objects.exists()


def test_times_and_pictures_that_cannot_be_are_named(api):
    [image] = approved(1)
    pending = factories.image()
    for more, text in [
        ({"starts_at": ahead(hours=-1)}, "has passed"),
        ({"starts_at": ahead(hours=2), "ends_at": ahead(hours=1)}, "is not after the start"),
        ({"pictures": placed(image, image)}, "for the same place"),
        ({"pictures": placed(image, pending)}, f"Picture {pending.pk} is not approved"),
    ]:
        answer = api.post("publications/", {"pictures": placed(image), **more})
        assert (answer.status_code, text in str(answer.data)) == (422, True), answer.data


def test_viewers_follow_and_publishers_publish(api_as, anybody):
    assert anybody.get("publications/").status_code in (401, 403)
    viewer = api_as()
    assert viewer.get("publications/").status_code == 200
    assert viewer.post("publications/", {"pictures": []}).status_code == 403


def test_the_preview_of_a_moment_has_what_is_scheduled(api, api_as, anybody, settings):
    before = factories.published(factories.product(photo=False))
    mug = before.image.catalog_object
    newer, german = (factories.image(mug, state=ImageState.APPROVED) for _ in range(2))
    pictures = [*placed(newer), {**placed(german)[0], "locale": "de"}]
    api.post("publications/", {"pictures": pictures, "starts_at": ahead(hours=1)})
    query = {"model": "testcatalog.mug", "object": mug.pk}

    def images(**more):
        answer = api.get("placements/at/", {**query, **more})
        assert answer.status_code == 200, answer.data
        return [each["image"] for each in answer.data["places"]]

    assert images(at=ahead(minutes=30)) == [before.image_id]
    assert sorted(images(at=ahead(hours=2))) == sorted([newer.pk, german.pk])
    assert images(at=ahead(hours=2), locale="de-at") == [german.pk]
    assert images(at=ahead(hours=2), locale="fr", slot="hero") == [newer.pk]
    assert images(at=ahead(hours=2), slot="gallery") == []
    assert api.get("placements/at/", {"at": ahead(hours=2)}).status_code == 400
    assert api.get("placements/at/", {**query, "at": "soon"}).status_code == 400
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}
    assert anybody.get("placements/", query).status_code == 200
    refused = anybody.get("placements/at/", {**query, "at": ahead(hours=2)})
    assert refused.status_code in (401, 403)


@pytest.mark.parametrize("omitted", ["starts_at", "ends_at"])
def test_a_schedule_is_not_changed_by_what_was_left_out(api, omitted):
    body = {"pictures": placed(*approved(1)), "starts_at": ahead(days=1)}
    made = api.post("publications/", body).data
    times = {"starts_at": ahead(days=1), "ends_at": ahead(days=2)}
    del times[omitted]
    refused = api.put(f"publications/{made['id']}/schedule/", times)
    assert (refused.status_code, list(refused.data["errors"])) == (400, [omitted])
    assert api.get(f"publications/{made['id']}/").data == made


def test_a_schedule_that_was_seen_is_changed_once(api):
    body = {"pictures": placed(*approved(1)), "starts_at": ahead(days=1)}
    address = f"publications/{api.post('publications/', body).data['id']}/"
    seen = api.get(address)["ETag"]
    times = {"starts_at": ahead(days=2), "ends_at": None}
    changed = api.put(f"{address}schedule/", times, if_match=seen)
    assert (changed.status_code, changed.data) == (200, api.get(address).data)
    assert api.put(f"{address}schedule/", times, if_match=seen).status_code == 412


@pytest.mark.parametrize(
    ("time", "text"), [("2027-03-28T02:30", "never show"), ("2027-10-31T02:30", "twice")]
)
def test_a_time_that_clocks_skip_or_show_twice_is_refused_without_an_offset(
    api, settings, time, text
):
    settings.TIME_ZONE = "Europe/Berlin"
    body = {"pictures": placed(*approved(1)), "starts_at": time}
    answers = [
        api.post("publications/", body),
        api.post("rollbacks/", {"at": time}),
        api.get("publications/", {"created_after": time}),
        api.get("placements/at/", {"model": "testcatalog.mug", "object": "1", "at": time}),
    ]
    for answer in answers:
        assert (answer.status_code, text in str(answer.data)) == (400, True), answer.data
    made = api.post("publications/", {**body, "starts_at": f"{time}+01:00"})
    assert made.status_code == 201, made.data
