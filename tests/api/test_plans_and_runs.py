"""Asking what something costs, and starting it once."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog.api.run_progress import ProgressSerializer
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Permission
from nb_catalog.generation import run_starts, runs
from nb_catalog.models import ImageJob, Run, RunStart
from nb_catalog.worker.run_starts import write_next_block
from tests import factories
from tests.catalog.models import Mug, Vase


@pytest.fixture
def api(api_as):
    factories.scene("marble")
    factories.scene("oak")
    return api_as(Permission.GENERATE)


@pytest.fixture
def paid(settings):
    """The draft step on a model that costs money. Plans never call it."""
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"draft": tier}}


def _wish(*products, **changes):
    return {
        "model": "testcatalog.mug",
        "objects": [product.pk for product in products] or "all",
        "scenes": ["marble", "oak"],
        "ratio": "4:5",
    } | changes


def test_a_plan_says_what_would_be_made_and_writes_nothing(api):
    mugs = [factories.product() for _n in range(2)]
    answer = api.post("plans/", _wish(*mugs, variants=2))
    assert answer.status_code == 200
    found = answer.json()
    assert found["summary"]["total"] == found["summary"]["wanted"] == 8
    assert found["summary"]["missing"] == 8
    assert found["price_usd"] == "0.00"
    assert found["is_free"] is True
    assert found["seconds"] > 0
    assert len(found["items"]) == 8
    assert found["items"][0] == {
        "object": str(mugs[0].pk),
        "scene": "marble",
        "product_variant": "",
        "layout": "",
        "locale": "",
        "variant": 1,
        "status": "missing",
        "problem": "",
    }
    assert not Run.objects.exists()
    assert not ImageJob.objects.exists()


def test_a_plan_for_a_model_has_a_price_as_text(api, paid):
    factories.product()
    found = api.post("plans/", _wish()).json()
    assert Decimal(found["price_each_usd"]) > Decimal("0.03")
    assert Decimal(found["price_usd"]) == 2 * Decimal(found["price_each_usd"])
    assert isinstance(found["price_usd"], str)


def test_a_plan_lists_its_items_in_bounded_pages(api):
    for _n in range(3):
        factories.product()
    first = api.post("plans/?page_size=4", _wish()).json()
    second = api.post("plans/?page_size=4&page=2", _wish()).json()
    assert [len(first["items"]), len(second["items"])] == [4, 2]
    assert first["items"][0] not in second["items"]
    assert api.post("plans/?page_size=1000", _wish()).status_code == 400


def test_a_plan_says_why_a_picture_is_not_possible(api):
    factories.product(photo=False)
    found = api.post("plans/", _wish()).json()
    assert found["summary"]["impossible"] == 2
    assert found["problems"] == [
        {"problem": "The product has no photo. Upload one.", "count": 2}
    ]  # fmt: skip


def test_a_plan_warns_of_a_photo_that_is_too_small(api):
    factories.product()
    [found] = api.post("plans/", _wish()).json()["warnings"]
    assert found["count"] == 1
    assert "photo is very small" in found["warning"]


def test_no_plan_shows_a_prompt(api, paid):
    factories.product(name="Mug with secrets")
    assert "surface" not in api.post("plans/", _wish()).content.decode()


def test_every_objection_is_told_at_once(api):
    factories.product()
    answer = api.post("plans/", _wish(ratio="7:3", treatment="painted"))
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert found["code"] == "plan_refused"
    assert found["status"] == 422
    assert len(found["objections"]) >= 2
    assert all(each in found["detail"] for each in found["objections"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"model": None}, "model"),
        ({"objects": []}, "objects"),
        ({"objects": {"a": 1}}, "objects"),
        ({"objects": True}, "objects"),
        ({"objects": ["x"]}, "objects"),
        ({"objects": [10**30]}, "objects"),
        ({"objects": [999999]}, "objects"),
        ({"scenes": []}, "scenes"),
        ({"variants": 0}, "variants"),
        ({"treatment": "glazed"}, "treatment"),
    ],
)
def test_a_wrong_value_is_told_by_its_field(api, changes, field):
    factories.product()
    answer = api.post("plans/", _wish(**changes))
    assert answer.status_code == 400
    found = answer.json()
    assert found["code"] == "invalid"
    assert field in found["errors"]


def test_a_misspelt_scene_or_tier_gets_a_suggestion(api):
    factories.product()
    assert "'marble'" in api.post("plans/", _wish(scenes=["marbel"])).json()["detail"]
    assert "'draft'" in api.post("plans/", _wish(tier="drafd")).json()["detail"]


def test_a_misspelt_model_is_not_found(api):
    answer = api.post("plans/", _wish(model="testcatalog.mugg"))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_registered"


def test_body_that_is_no_json_is_a_problem_too(api):
    answer = api.client.post(
        "/api/catalog-images/plans/", "{", content_type="application/json"
    )  # fmt: skip
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "parse_error"


def test_uuid_and_text_keys_can_be_planned(api):
    poster = factories.poster()
    vase = Vase.objects.create(slug="tall", name="Tall")
    wish = _wish(model="testcatalog.poster", objects=[str(poster.pk)])
    assert api.post("plans/", wish).json()["summary"]["missing"] == 2
    wish = _wish(model="testcatalog.vase", objects=[vase.pk])
    assert api.post("plans/", wish).json()["summary"]["missing"] == 2


def test_a_plan_costs_the_same_queries_however_many_objects_it_has(api):
    def queries(*posters):
        wish = _wish(model="testcatalog.poster", objects=[str(each.pk) for each in posters])
        with CaptureQueriesContext(connection) as captured:
            assert api.post("plans/", wish).json()["summary"]["missing"] == 2 * len(posters)
        return len(captured)

    posters = [factories.poster(photos=2) for _n in range(6)]
    queries(*posters)  # requests the cut-outs of their photos
    assert queries(*posters[:1]) == queries(*posters)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("plans/", {"scenes": ["marble"]}),
        ("plans/texts/", {"layouts": ["banner"]}),
        ("plans/renewal/", {}),
    ],
)
def test_a_plan_of_hundreds_of_products_takes_no_more_queries(api, path, more):
    factories.layout()
    factories.published()
    factories.product()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            answer = api.post(path, {"model": "testcatalog.mug", "objects": "all", **more})
        assert answer.status_code == 200
        return len(captured)

    queries()
    few = queries()
    Mug.objects.bulk_create(Mug(name=f"Mug {n}", packshot=f"{n}.png") for n in range(300))
    # At first, cut-outs of the new photos are requested, 200 at a time.
    queries()
    queries()
    assert queries() == few


def test_the_pages_of_a_plan_have_every_item_once(api):
    Mug.objects.bulk_create(Mug(name=f"Mug {n}", packshot=f"{n}.png") for n in range(1100))
    wish = _wish(scenes=["marble"])
    pages = [api.post(f"plans/?page_size=200&page={n}", wish).json() for n in range(1, 8)]
    found = [item["object"] for page in pages for item in page["items"]]
    assert len(found) == len({*found}) == 1100
    assert {page["summary"]["missing"] for page in pages} == {1100}
    assert api.post("plans/?page_size=0", wish).json()["items"] == []


def test_forms_can_send_a_plan(api):
    mugs = [factories.product() for _n in range(3)]
    address = "/api/catalog-images/plans/"
    wish = _wish(*mugs[:2], scenes=["marble"])
    assert api.client.post(address, wish).json()["summary"]["total"] == 2
    assert api.client.post(address, {**wish, "objects": "all"}).json()["summary"]["total"] == 3
    typed = {**wish, "objects": f"{mugs[0].pk}, {mugs[1].pk}", "scenes": "marble,oak"}
    assert api.client.post(address, typed).json()["summary"]["total"] == 4


@pytest.mark.parametrize(("ratio", "status"), [("4:5", 200), ("7:3", 422)])
def test_a_browser_gets_a_page_for_its_form(api, ratio, status):
    wish = _wish(factories.product(), ratio=ratio)
    answer = api.client.post("/api/catalog-images/plans/", wish, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")


def test_starting_a_run_writes_its_jobs(api):
    mug = factories.product()
    answer = api.post("runs/", _wish(mug, budget_usd="12.50", priority=3))
    assert answer.status_code == 201
    found = answer.json()
    assert found["counts"]["queued"] == 2
    assert found["budget_usd"] == "12.50"
    assert found["state"] == "underway"
    run = Run.objects.get(pk=found["id"])
    assert run.actor == api.user
    assert set(run.jobs.values_list("priority", flat=True)) == {3}


def test_the_same_key_answers_the_same_run(api):
    mug = factories.product()
    first = api.post("runs/", _wish(mug, key="order-17"))
    second = api.post("runs/", _wish(mug, key="order-17"))
    assert [first.status_code, second.status_code] == [201, 200]
    assert first.json()["id"] == second.json()["id"]
    assert ImageJob.objects.count() == 2


def test_the_key_may_stand_in_a_header(api):
    mug = factories.product()
    first = api.post("runs/", _wish(mug), **{"Idempotency-Key": "order-18"})
    second = api.post("runs/", _wish(mug), **{"Idempotency-Key": "order-18"})
    third = api.post("runs/", _wish(mug, key="order-18"))
    assert [each.status_code for each in (first, second, third)] == [201, 200, 200]
    assert Run.objects.count() == 1 and first.json()["key"] == "order-18"


def test_a_header_and_a_body_with_different_keys_are_refused(api):
    answer = api.post("runs/", _wish(factories.product(), key="a"), **{"Idempotency-Key": "b"})
    assert answer.status_code == 400
    assert not Run.objects.exists()


def test_a_key_that_is_too_long_is_refused(api):
    answer = api.post("runs/", _wish(factories.product()), **{"Idempotency-Key": "k" * 65})
    assert answer.status_code == 400


def test_a_key_cannot_be_used_again_for_another_request(api):
    mug = factories.product()
    api.post("runs/", _wish(mug, key="order-19"))
    answer = api.post("runs/", _wish(mug, key="order-19", ratio="1:1"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "key_reused" and "ratio" in answer.json()["detail"]


def test_a_key_cannot_be_used_again_for_other_objects(api):
    mug, other = factories.product(), factories.product()
    api.post("runs/", _wish(mug, key="order-20"))
    answer = api.post("runs/", _wish(other, key="order-20"))
    assert answer.status_code == 409 and "objects" in answer.json()["detail"]
    assert api.post("runs/", _wish(mug, key="order-20")).status_code == 200


def test_runs_without_a_key_are_runs_of_their_own(api):
    mug = factories.product()
    first, second = (api.post("runs/", _wish(mug)) for _n in range(2))
    assert first.json()["id"] != second.json()["id"]
    # The pictures are being made already.
    assert ImageJob.objects.count() == 2


@pytest.mark.parametrize("budget", ["-1", "NaN", "Infinity", "much", "1e30"])
def test_a_budget_that_is_no_amount_is_refused(api, budget):
    answer = api.post("runs/", _wish(factories.product(), budget_usd=budget))
    assert answer.status_code == 400
    assert "budget_usd" in answer.json()["errors"]
    assert not Run.objects.exists()


def test_a_run_is_cancelled(api):
    run = factories.run()
    factories.job(of=run)
    factories.job(of=run, state=JobState.CALLING)
    found = api.post(f"runs/{run.pk}/cancel/").json()
    assert found["changed"] == 1
    assert found["counts"]["cancelled"] == 1
    assert found["counts"]["calling"] == 1


@pytest.mark.parametrize(("unknown", "queued"), [(False, 1), (True, 2)])
def test_an_unknown_outcome_is_retried_only_when_asked_for(api, unknown, queued):
    run = factories.run()
    factories.job(of=run, state=JobState.FAILED)
    factories.job(of=run, state=JobState.UNKNOWN)
    found = api.post(f"runs/{run.pk}/retry/", {"unknown": unknown}).json()
    assert found["changed"] == queued
    assert found["counts"]["queued"] == queued


def test_a_paused_run_goes_on_with_another_budget(api):
    run = factories.run(paused_reason="run_budget", budget_usd="1")
    found = api.post(f"runs/{run.pk}/resume/", {"budget_usd": "5"}).json()
    assert found["budget_usd"] == "5.00"
    assert found["paused_reason"] == ""


def test_leaving_the_budget_out_lifts_no_limit(api):
    run = factories.run(paused_reason="run_budget", budget_usd="1")
    assert api.post(f"runs/{run.pk}/resume/").status_code == 400
    run.refresh_from_db()
    assert run.paused_reason == "run_budget"
    assert api.post(f"runs/{run.pk}/resume/", {"budget_usd": None}).json()["budget_usd"] is None


def test_a_batch_costs_half_and_says_when_to_expect_it(api, paid):
    mug = factories.product()
    direct = api.post("plans/", _wish(mug)).data
    batch = api.post("plans/", _wish(mug, mode="batch")).data
    assert Decimal(direct["price_usd"]) / 2 <= Decimal(batch["price_usd"])
    assert Decimal(batch["price_usd"]) < Decimal(direct["price_usd"]) * Decimal("0.51")
    assert batch["seconds"] == 24 * 3600
    assert batch["request"]["mode"] == "batch"
    api.post("runs/", _wish(mug, mode="batch"))
    assert set(ImageJob.objects.values_list("mode", flat=True)) == {"batch"}


def test_what_has_no_batch_service_says_so(api):
    answer = api.post("plans/", _wish(factories.product(), mode="batch"))
    assert answer.status_code == 422
    assert "local-studio is not offered in batches" in answer.data["detail"]


def test_an_unknown_delivery_is_refused(api):
    answer = api.post("plans/", _wish(factories.product(), mode="pigeon"))
    assert answer.status_code == 400
    assert "mode" in answer.data["errors"]


def test_a_large_run_is_starting_until_the_worker_has_written_its_jobs(api, monkeypatch):
    monkeypatch.setattr(runs, "LARGE_RUN", 2)
    monkeypatch.setattr(run_starts, "BLOCK_PICTURES", 2)
    mugs = [factories.product() for _n in range(3)]
    answer = api.post("runs/", _wish(*mugs, key="large"))
    assert answer.status_code == 201
    run = answer.json()
    assert run["state"] == "starting"
    assert run["starting"] == {"written": 0, "products": 3, "error": ""}
    write_next_block(owner="somebody")
    assert api.get(f"runs/{run['id']}/").json()["starting"]["written"] == 1
    assert api.post("runs/", _wish(*mugs, key="large")).json()["id"] == run["id"]
    while write_next_block(owner="somebody"):
        pass
    run = api.get(f"runs/{run['id']}/").json()
    assert (run["state"], run["starting"], run["counts"]["queued"]) == ("underway", None, 6)


def test_a_large_run_is_stopped_by_an_error_and_goes_on_or_is_cancelled(api, monkeypatch):
    monkeypatch.setattr(runs, "LARGE_RUN", 2)
    mugs = [factories.product() for _n in range(3)]
    address = f"runs/{api.post('runs/', _wish(*mugs)).json()['id']}/"
    RunStart.objects.update(error="There is no scene 'oak'.")
    run = api.get(address).json()
    assert run["state"] == "stopped" and run["starting"]["error"] == "There is no scene 'oak'."
    assert api.post(f"{address}retry/", {}).json()["state"] == "starting"
    cancelled = api.post(f"{address}cancel/", {}).json()
    assert (cancelled["state"], cancelled["starting"]) == ("finished", None)


def test_parts_become_one_picture_of_the_one_object(api):
    one, two = factories.product(), factories.product()
    poster = factories.poster()
    parts = [one.pk, f"testcatalog.mug:{two.pk}", f"testcatalog.poster:{poster.pk}"]
    body = _wish(one, scenes=["marble"], parts=parts)
    planned = api.post("plans/", body).json()
    assert planned["summary"]["wanted"] == 1
    assert planned["request"]["parts"][0] == ["testcatalog.mug", str(one.pk)]
    assert api.post("runs/", body).status_code == 201
    shown = [part["object_id"] for part in ImageJob.objects.get().spec["parts"]]
    assert shown == [str(one.pk), str(two.pk), str(poster.pk)]


def test_parts_that_cannot_be_shown_together_are_refused(api):
    one, two = factories.product(), factories.product()
    for objects, parts, said in (
        ([one], [one.pk, 98765], "There is no testcatalog.mug 98765"),
        ([one, two], [one.pk, two.pk], "State exactly one"),
        ([one], [one.pk], "2 to 6 products"),
        ([one], [one.pk, "testcatalog.mgu:1"], "testcatalog.mgu"),
    ):
        answer = api.post("plans/", _wish(*objects, scenes=["marble"], parts=parts))
        assert answer.status_code in (400, 404, 422), answer.json()
        assert said in answer.content.decode()


def test_parts_are_planned_by_those_only_who_may_see_them(api_as):
    factories.scene("marble")
    user = api_as(Permission.GENERATE, "testcatalog.view_mug", views=False)
    one, poster = factories.product(), factories.poster()
    parts = [one.pk, f"testcatalog.poster:{poster.pk}"]
    answer = user.post("plans/", _wish(one, scenes=["marble"], parts=parts))
    assert answer.status_code == 403


def test_the_progress_names_causes_and_only_those_named_are_retried(api):
    run = factories.run(budget_usd="2")
    for state, code in (
        ("succeeded", ""), ("queued", ""), ("failed", "no_picture"), ("failed", "no_picture"),
        ("failed", "not_sent"), ("refused", "content_refused"),
    ):  # fmt: skip
        factories.job(of=run, state=state, error_code=code)
    found = api.get(f"runs/{run.pk}/progress/").json()
    assert (found["percent"], found["asked"], found["budget_usd"]) == (16, 6, "2.00")
    assert [lane["remaining"] for lane in found["tiers"]] == [1]
    assert found["failures"][0] == {
        "state": "failed", "error_code": "no_picture", "jobs": 2, "can_retry": True
    }  # fmt: skip
    assert [each["error_code"] for each in found["failures"] if not each["can_retry"]] == [
        "content_refused"
    ]
    answer = api.post(f"runs/{run.pk}/retry/", {"error_codes": ["no_picture"]}).json()
    assert (answer["changed"], answer["counts"]["queued"]) == (2, 3)


def test_the_progress_has_the_fields_of_its_schema(api):
    run = factories.run(paused_reason="day_budget")
    factories.job(of=run)
    factories.job(of=run, state="failed", error_code="no_picture")
    found = api.get(f"runs/{run.pk}/progress/").json()
    fields = ProgressSerializer().fields
    assert set(found) == set(fields)
    for name in ("tiers", "waits", "failures"):
        assert set(found[name][0]) == set(fields[name].child.fields)
