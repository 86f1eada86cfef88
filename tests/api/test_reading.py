"""Lists and details: what they show, how they filter, how many queries they cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import publishing, review
from nb_catalog.api.pagination import CatalogPagination
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import Export, ProviderCall, ReviewFilter, WebhookEndpoint
from nb_catalog.publishing import publications
from tests import factories
from tests.api.conftest import Api
from tests.catalog.models import Vase

SECRET = "only those may read who may generate"


def _ids(answer):
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["results"]]


def _queries(api, path):
    api.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert api.get(path).status_code == 200
    return len(captured)


def test_models_are_listed_with_their_counts(api_as):
    mug = factories.product()
    factories.image(mug, state=ImageState.APPROVED)
    factories.image(mug)
    factories.published(mug)
    found = {each["label"]: each for each in api_as().get("models/").json()["results"]}
    assert found["testcatalog.mug"] == {
        "label": "testcatalog.mug",
        "verbose_name": "mug",
        "verbose_name_plural": "mugs",
        "slots": ["hero", "gallery", "social"],
        "objects": 1,
        "images": {"pending": 1, "approved": 2, "rejected": 0, "retired": 0},
        "published": 1,
    }
    assert found["testcatalog.vase"]["objects"] == 0
    assert api_as().get("models/testcatalog.mug/").json() == found["testcatalog.mug"]


def test_a_model_that_is_not_registered_is_not_found(api_as):
    answer = api_as().get("models/testcatalog.mugg/")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_registered"
    assert "testcatalog.mug" in answer.json()["detail"]


def test_scenes_show_their_words_to_those_who_may_generate_only(api_as):
    factories.scene("marble", prompt=f"Marble that {SECRET}.")
    assert SECRET not in api_as().get("scenes/marble/").content.decode()
    assert SECRET in api_as(Permission.GENERATE).get("scenes/marble/").content.decode()
    assert SECRET not in api_as(Permission.GENERATE).get("scenes/").content.decode()


def test_scenes_that_are_not_offered_are_not_listed(api_as):
    factories.scene("marble")
    factories.scene("attic", is_active=False)
    assert [each["key"] for each in api_as().get("scenes/").json()["results"]] == ["marble"]
    assert api_as().get("scenes/attic/").json()["is_active"] is False


@pytest.mark.parametrize("path", ["jobs/", "images/", "runs/", "placements/"])
def test_no_list_shows_a_prompt(api_as, path):
    mug = factories.product()
    run = factories.run(request={"prompt": SECRET, "instruction": SECRET})
    factories.image(mug, job=factories.job(mug, of=run))
    factories.published(mug)
    answer = api_as(*Permission).get(path)
    assert answer.json()["count"]
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("kind", ["jobs", "images"])
def test_a_prompt_is_shown_in_detail_to_those_who_may_generate_only(api_as, kind):
    row = factories.job() if kind == "jobs" else factories.image()
    path = f"{kind}/{row.pk}/"
    assert SECRET not in api_as(Permission.REVIEW).get(path).content.decode()
    assert SECRET in api_as(Permission.GENERATE).get(path).content.decode()


def test_a_run_shows_what_was_requested_without_what_was_written_for_the_model(api_as):
    request = {"scenes": ["marble"], "prompt": SECRET, "instruction": SECRET}
    path = f"runs/{factories.run(request=request).pk}/"
    assert api_as().get(path).json()["request"] == {"scenes": ["marble"]}
    assert api_as(Permission.GENERATE).get(path).json()["request"] == request


def test_money_is_text(api_as):
    run = factories.run(estimate_usd="20", budget_usd="0.1", spent_usd="0.033612")
    found = api_as().get(f"runs/{run.pk}/").json()
    assert found["estimate_usd"] == "20.00"
    assert found["budget_usd"] == "0.10"
    assert found["spent_usd"] == "0.033612"
    assert found["reserved_usd"] == "0.00"


def test_a_run_without_a_budget_says_null(api_as):
    assert api_as().get(f"runs/{factories.run().pk}/").json()["budget_usd"] is None


def test_a_run_counts_its_jobs_by_state(api_as):
    run = factories.run()
    factories.job(of=run)
    factories.job(of=run, state=JobState.SUCCEEDED)
    factories.job(of=run, state=JobState.SUCCEEDED)
    factories.job()
    found = api_as().get(f"runs/{run.pk}/").json()
    assert found["counts"]["succeeded"] == 2
    assert found["counts"]["queued"] == 1
    assert found["counts"]["failed"] == 0
    assert found["state"] == "underway"


@pytest.mark.parametrize(
    ("job_state", "reason", "expected"),
    [
        (JobState.CALLING, "", "underway"),
        (JobState.SUCCEEDED, "", "finished"),
        (JobState.UNKNOWN, "", "finished"),
        (JobState.QUEUED, "run_budget", "paused"),
    ],
)
def test_the_state_of_a_run_follows_its_jobs(api_as, job_state, reason, expected):
    run = factories.run(paused_reason=reason)
    factories.job(of=run, state=job_state)
    assert api_as().get("runs/").json()["results"][0]["state"] == expected


def test_jobs_are_found_by_run_state_and_object(api_as):
    mug, other = factories.product(), factories.product()
    run = factories.run()
    wanted = factories.job(mug, of=run, state=JobState.FAILED)
    factories.job(mug, of=run)
    factories.job(other)
    api = api_as()
    assert _ids(api.get(f"jobs/?run={run.pk}&state=failed")) == [wanted.pk]
    assert len(_ids(api.get(f"jobs/?run={run.pk}&state=failed&state=queued"))) == 2
    assert len(_ids(api.get("jobs/", {"model": "testcatalog.mug", "object": mug.pk}))) == 2
    assert _ids(api.get("jobs/?run=999999")) == []


def test_a_job_shows_its_calls_and_what_they_cost(api_as):
    job = factories.job(state=JobState.UNKNOWN)
    call = {"job": job, "provider": "gemini", "model": "m", "started_at": timezone.now()}
    ProviderCall.objects.create(epoch=1, cost_microusd=33600, **call)
    ProviderCall.objects.create(epoch=2, cost_microusd=None, **call)
    calls = api_as().get(f"jobs/{job.pk}/").json()["calls"]
    assert {each["cost_usd"] for each in calls} == {"0.0336", None}


def test_images_are_found_by_state_slot_run_and_scene(api_as):
    mug = factories.product()
    job = factories.job(mug)
    pending = factories.image(mug, job=job, scene="oak")
    placement = factories.published(mug, slot="gallery")
    factories.published(mug, slot="hero")
    api = api_as()
    assert _ids(api.get("images/?state=pending")) == [pending.pk]
    assert _ids(api.get("images/?slot=gallery")) == [placement.image_id]
    assert _ids(api.get(f"images/?run={job.run_id}")) == [pending.pk]
    assert _ids(api.get("images/?scene=oak")) == [pending.pk]


def test_surroundings_are_listed_only_when_asked_for(api_as):
    backdrop = factories.image(kind="backdrop")
    assert _ids(api_as().get("images/")) == []
    assert _ids(api_as().get("images/?kind=backdrop")) == [backdrop.pk]


def test_an_image_says_what_can_be_decided_where_it_stands_and_who_decided(api_as):
    reviewer = factories.staff(name="ada")
    image = factories.image()
    review.approve(image, actor=reviewer, note="Good light.")
    found = api_as().get(f"images/{image.pk}/").json()
    assert found["decisions"] == ["reconsider", "retire"]
    assert found["history"][0]["actor"] == "ada"
    assert found["history"][0]["note"] == "Good light."
    assert found["url"].endswith(".png")
    placement = factories.published(slot="hero", locale="de")
    place = api_as().get(f"images/{placement.image_id}/").json()["published_in"]
    assert place == [{"placement": placement.pk, "slot": "hero", "locale": "de", "position": 0}]


def test_integer_uuid_and_text_keys_work(api_as):
    vase = Vase.objects.create(slug="tall-vase", name="Tall")
    for product, label in (
        (factories.product(photo=False), "testcatalog.mug"),
        (factories.poster(photos=0), "testcatalog.poster"),
        (vase, "testcatalog.vase"),
    ):
        image = factories.image(product)
        answer = api_as().get("images/", {"model": label, "object": str(product.pk)})
        assert _ids(answer) == [image.pk]
        assert answer.json()["results"][0]["object"] == str(product.pk)


def test_a_model_alone_finds_all_of_its_images(api_as):
    wanted = {factories.image(factories.product(photo=False)).pk for _n in range(2)}
    factories.image(factories.poster(photos=0))
    assert set(_ids(api_as().get("images/?model=testcatalog.mug"))) == wanted


def test_objects_of_two_models_with_the_same_key_are_told_apart(api_as):
    answer = api_as().get("images/?object=1")
    assert answer.status_code == 400
    assert "model" in answer.json()["errors"]


def test_pages_are_bounded(api_as):
    for _n in range(3):
        factories.run()
    found = api_as().get("runs/?page_size=2").json()
    assert found["count"] == 3
    assert len(found["results"]) == 2
    assert "cursor=" in found["next"]
    assert len(api_as().get("runs/?page_size=100000").json()["results"]) == 3
    assert CatalogPagination.max_page_size <= 200


@pytest.mark.parametrize(
    "path",
    [
        "jobs/?state=nonsense",
        "jobs/?run=x",
        "images/?kind=nonsense",
        "images/?run=99999999999999999999",
        "images/?scene=a%00b",
        "images/?model=testcatalog.mug&object=a%00b",
    ],
)
def test_a_wrong_filter_is_refused_and_not_ignored(api_as, path):
    answer = api_as().get(path)
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize("path", ["runs/99999999999999999999/", "images/12345678/", "jobs/0/"])
def test_what_does_not_exist_is_not_found(api_as, path):
    answer = api_as().get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_a_strange_key_finds_nothing(api_as):
    answer = api_as().get("images/", {"model": "testcatalog.poster", "object": "no-uuid"})
    assert _ids(answer) == []


def _fill():
    mug = factories.product()
    factories.job(mug, of=factories.run(actor=factories.staff()))
    factories.image(mug, job=factories.job(mug))
    factories.published(mug)


@pytest.mark.parametrize("path", ["models/", "scenes/", "runs/", "jobs/", "images/", "placements/"])
def test_a_list_costs_the_same_queries_however_long_it_is(api_as, path):
    api = api_as()
    _fill()
    before = _queries(api, path)
    for _n in range(4):
        _fill()
    assert _queries(api, path) == before


def _publication(user):
    image = factories.image(factories.product(photo=False), state=ImageState.APPROVED)
    pictures = publications.placed([image], slot="hero")
    later = timezone.now() + timedelta(hours=1)
    made = publishing.request_publication(
        pictures, actor=user, run=factories.run(), starts_at=later
    )
    made.planned.update(problem="Its product was deleted.")


def _webhook_delivery(user):
    endpoint = WebhookEndpoint.objects.create(url="https://example.com/", secret_digest="0" * 64)
    endpoint.deliveries.create(message_id="m", event="run.ended", data={}, at=timezone.now())


@pytest.mark.parametrize(
    ("path", "fill"),
    [
        ("publications/", _publication),
        ("webhook-deliveries/", _webhook_delivery),
        ("webhooks/", _webhook_delivery),
        (
            "exports/",
            lambda user: Export.objects.create(actor=user, pictures=[], options={}, total=0),
        ),
        (
            "review-filters/",
            lambda user: ReviewFilter.objects.create(
                owner=factories.staff(), name="Oak", is_shared=True
            ),
        ),
    ],
)
def test_a_list_with_rows_of_its_own_costs_the_same_queries(db, path, fill):
    user = factories.superuser()
    fill(user)
    before = _queries(Api(user), path)
    for _n in range(4):
        fill(user)
    assert len(Api(user).get(path).json()["results"]) == 5
    assert _queries(Api(user), path) == before


def test_the_pages_for_browsers_draw_themselves_with_forms(api_as):
    api = api_as(*Permission)
    image = factories.image()
    for path in ("", "plans/", "runs/", "models/", f"images/{image.pk}/approve/"):
        answer = api.get(path, accept="text/html")
        assert answer["Content-Type"].startswith("text/html"), path
    form = api.get("runs/", accept="text/html").content.decode()
    for name in ("model", "objects", "scenes", "tier", "budget_usd"):
        assert f'name="{name}"' in form
    assert "not currently supported in HTML" not in form


@pytest.mark.parametrize("path", ["", "plans/", "runs/", "images/", "placements/roll-back/"])
def test_every_address_says_what_it_takes(api_as, path):
    api = api_as(*Permission)
    assert api.client.options(f"/api/catalog-images/{path}").status_code == 200


def test_the_pages_for_browsers_hide_forms_from_those_who_may_not_use_them(api_as):
    form = api_as().get("runs/", accept="text/html").content.decode()
    assert 'name="budget_usd"' not in form
