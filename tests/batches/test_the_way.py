"""The way of a batch that goes well, and of its single items that do not."""

import pytest

from nb_catalog import generation, worker
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, ProviderBatch, ProviderCall, ProviderPause
from nb_catalog.models.db.money import micros, usd
from nb_catalog.providers.model_specs import spec_for
from nb_catalog.testing.gemini import BatchScript, fault
from nb_catalog.worker import spool
from nb_catalog.worker.batches import request_file, schedule
from tests import factories
from tests.batches.conftest import MODEL, books_agree, drain, forget_the_rest, states
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)


def test_pictures_come_back_at_half_the_price(start, server):
    run = start(5)
    price = spec_for(MODEL).estimate(size="1K", references=1)
    assert run.estimate_usd == 5 * usd(micros(price / 2))
    drain()
    assert states() == {"succeeded": 5}
    batch = ProviderBatch.objects.get()
    assert (batch.state, batch.items, batch.error) == ("done", 5, "")
    assert len(server.request_log.for_operation("batches.create")) == 1
    assert server.count == 0, "nothing went out directly"
    run.refresh_from_db()
    assert run.reserved_microusd == 0
    assert books_agree(server) == run.spent_microusd > 0
    assert ProductImage.objects.count() == 5
    assert set(ProviderCall.objects.values_list("outcome", "batch__name")) == {
        ("picture", batch.name)
    }


def test_nothing_is_left_behind(start, server):
    start(2)
    drain()
    assert not list(spool.names())
    assert not list(request_file.path_of("x").parent.glob("*"))
    assert server._service.files.all() == [], "files at the service are deleted"


def test_a_locked_picture_keeps_the_products_own_pixels(start, server):
    start(2, treatment="locked")
    drain()
    assert states() == {"succeeded": 2}
    kinds = sorted(ProductImage.objects.values_list("kind", flat=True))
    assert kinds == ["backdrop", "backdrop", "picture", "picture"]


def test_answers_are_matched_by_key_and_not_by_place(start, server):
    server.batches.script(BatchScript(shuffled=True))
    start(6)
    drain()
    assert states() == {"succeeded": 6}
    digests = {entry.key: entry.prompt for entry in server.request_log.for_operation("batch item")}
    for image in ProductImage.objects.select_related("job"):
        with image.file.open() as file:
            assert digests[f"{image.job_id}.{image.job.epoch}"].encode() in file.read()


def test_partial_failures_go_into_another_batch(start, server):
    server.batches.script(
        BatchScript(
            items={0: "item_error", 1: "text_only", 2: "finish_image_safety", 3: "corrupt_picture"}
        )
    )
    start(6)
    drain()
    assert states() == {"succeeded": 5, "refused": 1}
    assert [each.items for each in ProviderBatch.objects.order_by("pk")] == [6, 3]
    books_agree(server)


def test_an_item_that_fails_each_time_ends_after_its_tries(start, server, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_ATTEMPTS": 2}
    server.batches.script(*[BatchScript(items={0: "item_error"})] * 5)
    start(1)
    drain()
    assert states() == {"failed": 1}
    assert ProviderCall.objects.count() == ProviderBatch.objects.count() == 2


def test_a_line_that_comes_twice_makes_one_picture(start, server):
    server.batches.script(BatchScript(items={0: "twice"}))
    start(2)
    drain()
    assert states() == {"succeeded": 2}
    assert ProductImage.objects.count() == 2
    books_agree(server)


def test_an_item_without_a_line_is_unknown_and_keeps_its_money(start, server):
    server.batches.script(BatchScript(items={0: "missing"}))
    run = start(2)
    drain()
    assert states() == {"succeeded": 1, "unknown": 1}
    run.refresh_from_db()
    job = ImageJob.objects.get(state="unknown")
    assert run.reserved_microusd == job.estimate_microusd
    assert "may have been charged" in job.error
    assert ProviderBatch.objects.get().state == "done"


def test_a_line_that_cannot_be_read_is_unknown(start, server):
    server.batches.script(BatchScript(items={1: "malformed_line"}))
    start(3)
    drain()
    assert states() == {"succeeded": 2, "unknown": 1}


@pytest.mark.parametrize("state", ["PARTIALLY_SUCCEEDED", "JOB_STATE_WHO_KNOWS"])
def test_a_state_that_nobody_knows_is_survived(start, server, state):
    server.batches.script(BatchScript(state=state, items={0: "item_error"}))
    start(3)
    drain()
    assert states() == {"succeeded": 3}
    books_agree(server)


@pytest.mark.parametrize("state", ["FAILED", "EXPIRED", "CANCELLED"])
def test_a_batch_that_ends_without_results_is_made_again(start, server, state):
    server.batches.script(BatchScript(state=state))
    start(2)
    drain()
    assert states() == {"succeeded": 2}
    assert ProviderBatch.objects.count() == 2
    assert ProviderCall.objects.filter(cost_microusd=0).count() == 2
    books_agree(server)


def test_a_stuck_batch_is_called_off_and_made_again(start, server, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "BATCH_HOURS": 0.00001}
    server.batches.script(BatchScript(stuck=True))
    start(2)
    drain(times=30)
    assert len(server.request_log.for_operation("batches.cancel")) >= 1
    assert states() == {"succeeded": 2}
    books_agree(server)


def test_results_that_break_off_are_fetched_again(start, server):
    server.script_for("files.download", fault("cut"))
    start(9)
    drain()
    assert states() == {"succeeded": 9}
    assert len(server.request_log.for_operation("files.download")) == 2
    assert ProductImage.objects.count() == 9
    books_agree(server)


def test_a_look_that_fails_is_taken_again(start, server):
    server.script_for(
        "batches.get", fault("unavailable"), fault("bad_gateway"), fault("drop_before")
    )
    start(1)
    drain()
    assert states() == {"succeeded": 1}


def test_what_a_person_cancelled_is_kept_when_it_is_paid_for(start, server, monkeypatch):
    run = start(1)
    monkeypatch.setattr(schedule, "FIRST_WAIT", 3600.0)
    worker.drain()
    assert states() == {"submitted": 1}
    assert runs.cancel_run(run) == 1
    server.batches.all[0].is_cancelled = False
    ProviderBatch.objects.update(next_look_at="2026-01-01T00:00Z")
    worker.drain()
    assert states() == {"cancelled": 1}
    image = ProductImage.objects.get()
    assert image.state == "pending"
    books_agree(server)


def test_a_batch_that_nobody_wants_any_more_is_called_off(start, server, monkeypatch):
    server.batches.script(BatchScript(stuck=True))
    run = start(2)
    monkeypatch.setattr(schedule, "FIRST_WAIT", 3600.0)
    worker.drain()
    runs.cancel_run(run)
    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    ProviderBatch.objects.update(next_look_at="2026-01-01T00:00Z")
    worker.drain()
    assert len(server.request_log.for_operation("batches.cancel")) == 1
    assert server.request_log.billed_usd == 0
    assert ProviderBatch.objects.get().state == "done"
    books_agree(server)


def test_shards_keep_the_services_limits(start, server, monkeypatch):
    from nb_catalog.providers.gemini import batch as gemini_batch
    from nb_catalog.providers.types import BatchLimits

    limits = BatchLimits(items=4, bytes=10**9, at_once=100, hours=24, expires_hours=48)
    monkeypatch.setattr(gemini_batch, "LIMITS", limits)
    start(10)
    drain()
    assert states() == {"succeeded": 10}
    assert sorted(each.items for each in ProviderBatch.objects.all()) == [2, 4, 4]
    books_agree(server)


def test_a_shard_that_is_full_leaves_the_rest_for_the_next(start, server, monkeypatch):
    from nb_catalog.providers.gemini import batch as gemini_batch
    from nb_catalog.providers.types import BatchLimits

    limits = BatchLimits(items=100, bytes=6_000, at_once=100, hours=24, expires_hours=48)
    monkeypatch.setattr(gemini_batch, "LIMITS", limits)
    start(5)
    drain()
    assert states() == {"succeeded": 5}
    assert ProviderBatch.objects.count() > 1
    assert max(ImageJob.objects.values_list("attempts", flat=True)) == 1
    books_agree(server)


def test_a_budget_lets_through_what_it_can_pay(start, server):
    run = start(4, budget_usd=None)
    price = ImageJob.objects.first().estimate_microusd
    run.budget_microusd = price * 2
    run.save()
    drain()
    # What the first two left over of their reservations pays for no third.
    assert states() == {"succeeded": 2, "queued": 2}
    run.refresh_from_db()
    assert run.paused_reason == "run_budget"
    assert run.spent_microusd + run.reserved_microusd <= price * 2
    books_agree(server)


def test_an_item_whose_photo_is_gone_is_not_sent(start, server):
    start(2)
    job = ImageJob.objects.first()
    job.content_type.model_class().objects.filter(pk=job.object_id).delete()
    drain()
    assert states() == {"failed": 1, "succeeded": 1}
    assert ProviderCall.objects.get(outcome="not_sent").cost_microusd == 0
    books_agree(server)


@pytest.mark.parametrize("kind", ["rate_limited", "unavailable", "bad_gateway", "drop_before"])
def test_an_upload_that_fails_sends_nothing(start, server, kind):
    server.script_for("files.upload", *[fault(kind)] * 8)
    start(2)
    worker.drain()
    assert states() == {"queued": 2}
    batch = ProviderBatch.objects.get()
    assert (batch.state, bool(batch.error_code)) == ("done", True)
    assert set(ProviderCall.objects.values_list("outcome", "cost_microusd")) == {("not_sent", 0)}
    assert max(ImageJob.objects.values_list("attempts", flat=True)) == 0
    server._service.scripts["files.upload"].clear()
    ProviderPause.objects.all().delete()
    forget_the_rest()
    drain()
    assert states() == {"succeeded": 2}
    books_agree(server)


def test_what_a_partial_success_leaves_out_is_made_again(start, server):
    server.batches.script(BatchScript(state="PARTIALLY_SUCCEEDED", items={0: "missing"}))
    start(2)
    drain()
    assert states() == {"succeeded": 2}
    assert ProviderBatch.objects.count() == 2


def test_painted_words_come_back_through_a_batch_and_are_read(server, start, monkeypatch):
    """Half the price for words too: the picture to change and the photo go along in the file."""
    monkeypatch.setattr(
        MugSource, "copy", lambda self, product, locale: {"headline": "Autumn offer"}
    )
    start(1)
    drain()
    [base] = ProductImage.objects.all()
    factories.layout()
    options = {"layouts": ["banner"], "locales": ["en"], "text": "painted", "mode": "batch"}
    plan = generation.plan_texts([base.catalog_object], **options)
    run = runs.start_run(plan)
    drain()
    [image] = ProductImage.objects.filter(job__run=run)
    assert image.parent == base and image.locale == "en" and "ocr" in image.checks
    call = ProviderCall.objects.get(job__run=run)
    assert call.batch is not None and call.usage["prompt"] > 2 * 1120, "two pictures went along"
    books_agree(server)
