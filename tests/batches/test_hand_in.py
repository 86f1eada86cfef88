"""Handing a batch in, with everything that can go wrong in that moment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import worker
from nb_catalog.models import ProviderBatch, ProviderCall
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.testing.gemini import BatchScript, fault
from nb_catalog.worker.batches import queries, schedule
from tests import factories
from tests.batches.conftest import books_agree, drain, forget_the_rest, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("kind", ["drop_after", "cut", "malformed_json"])
def test_a_batch_whose_answer_was_lost_is_found_by_its_name(start, server, kind):
    server.script_for("batches.create", fault(kind))
    start(2)
    drain()
    assert states() == {"succeeded": 2}
    assert len(server.request_log.for_operation("batches.create")) == 1
    assert ProviderBatch.objects.get().service_name.startswith("batches/")
    books_agree(server)


@pytest.mark.parametrize("kind", ["drop_before", "unavailable", "bad_gateway"])
def test_a_batch_that_is_not_found_is_looked_for_more_than_once(start, server, kind):
    server.script_for("batches.create", fault(kind))
    start(2)
    worker.drain()
    assert len(server.request_log.for_operation("batches.list")) == schedule.MOST_LOOKUPS
    assert set(ProviderCall.objects.values_list("outcome", "cost_microusd")) == {("not_sent", 0)}
    forget_the_rest()
    drain()
    assert states() == {"succeeded": 2}
    books_agree(server)


@pytest.mark.parametrize("kind", ["rate_limited", "retired_model"])
def test_a_refusal_puts_the_pictures_back_at_once(start, server, kind):
    server.script_for("batches.create", fault(kind))
    start(2)
    worker.drain()
    assert states() == {"queued": 2}
    assert len(server.request_log.for_operation("batches.list")) == 1
    assert ProviderBatch.objects.get().error_code == kind.replace("retired_model", "model_retired")


def test_while_nobody_can_look_nothing_is_handed_in_again(start, server, monkeypatch):
    server.script_for("batches.create", fault("drop_after"))
    server.script_for("batches.list", *[fault("unavailable")] * 40)
    start(2)
    monkeypatch.setattr(schedule, "GRACE", 3600.0)
    for _ in range(6):
        worker.drain()
        ProviderBatch.objects.update(next_look_at=timezone.now())
    assert states() == {"submitted": 2}
    assert ProviderBatch.objects.get().state == "sending"
    server._service.scripts["batches.list"].clear()
    monkeypatch.setattr(schedule, "GRACE", 0.0)
    drain()
    assert states() == {"succeeded": 2}
    assert len(server.request_log.for_operation("batches.create")) == 1
    books_agree(server)


def test_who_hands_in_too_late_calls_the_batch_off(start, server, monkeypatch):
    """A worker that was stopped between writing down and sending, while others gave the pictures
    to another batch."""
    submit = GeminiProvider.submit

    async def stalled(self, file, *, model, name):
        if not server.request_log.for_operation("batches.create"):
            await shelf_taken_over()
        return await submit(self, file, model=model, name=name)

    async def shelf_taken_over():
        from asgiref.sync import sync_to_async

        await sync_to_async(_take_over_and_close)()

    monkeypatch.setattr(GeminiProvider, "submit", stalled)
    server.batches.script(BatchScript(seconds=3600))
    start(2)
    worker.drain()
    forget_the_rest()
    drain()
    assert states() == {"succeeded": 2}
    first, second = server.batches.all
    assert first.is_cancelled and not second.is_cancelled
    assert len({entry.prompt for entry in server.request_log.for_operation("batch item")}) == 2
    assert [entry.display_name for entry in server.request_log.for_operation("batches.cancel")] == [
        first.display_name
    ]


def _take_over_and_close():
    from django.db import connection

    from nb_catalog.exceptions import ServiceUnavailable

    ProviderBatch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    batch = queries.claim_due(owner="another")
    queries.close(batch, error=ServiceUnavailable("It seemed dead."))
    connection.close()


def test_two_workers_never_hold_one_batch(start, server):
    start(1)
    batch, _orders = queries.create_batch(owner="one")
    assert queries.claim_due(owner="two") is None, "its lease stands"
    ProviderBatch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    taken = queries.claim_due(owner="two")
    assert (taken.pk, taken.epoch) == (batch.pk, batch.epoch + 1)
    assert queries.claim_due(owner="three") is None


def test_more_batches_than_the_account_may_have_wait(start, server, monkeypatch):
    from nb_catalog.providers.gemini import batch as gemini_batch
    from nb_catalog.providers.types import BatchLimits

    limits = BatchLimits(items=1, bytes=10**9, at_once=2, hours=24, expires_hours=48)
    monkeypatch.setattr(gemini_batch, "LIMITS", limits)
    start(3)
    monkeypatch.setattr(schedule, "FIRST_WAIT", 3600.0)
    worker.drain()
    assert states() == {"submitted": 2, "queued": 1}
    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    ProviderBatch.objects.update(next_look_at=timezone.now())
    drain()
    assert states() == {"succeeded": 3}


def test_the_looks_grow_further_apart():
    gaps = [schedule.poll_interval(polls) for polls in range(40)]
    assert gaps[0] == schedule.FIRST_WAIT
    assert gaps == sorted(gaps)
    assert gaps[-1] == schedule.LONGEST_WAIT


def test_a_worker_that_is_told_to_stop_puts_an_unfinished_batch_back(start, server, monkeypatch):
    from nb_catalog.worker.batches import request_file

    start(3)
    interrupted = worker.Worker()
    line = request_file.encode_line

    def stopping(job, **options):
        interrupted.stop()
        return line(job, **options)

    monkeypatch.setattr(request_file, "encode_line", stopping)
    interrupted.run(until_idle=True)
    assert states()["queued"] == 2
    monkeypatch.setattr(request_file, "encode_line", line)
    drain()
    assert states() == {"succeeded": 3}
    books_agree(server)


def test_a_batch_that_somebody_else_holds_is_no_work_for_us(start, server):
    start(1)
    queries.create_batch(owner="one")
    assert not worker.work_is_waiting(), "else a worker that waits for idleness would never end"


def test_a_file_that_was_uploaded_for_nothing_is_deleted(start, server):
    server.script_for("batches.create", fault("rate_limited"))
    start(1)
    worker.drain()
    assert ProviderBatch.objects.get().state == "done"
    assert server._service.files.all() == []


def test_what_comes_back_from_a_batch_goes_out_together_with_what_waits(start, server):
    """While results are being fetched nothing new is put together: their failures would go out
    one by one."""
    start(1)
    first, _orders = queries.create_batch(owner="one")
    ProviderBatch.objects.filter(pk=first.pk).update(state="ready")
    start(1)
    assert queries.create_batch(owner="two") is None
    ProviderBatch.objects.filter(pk=first.pk).update(state="running")
    assert queries.create_batch(owner="two") is not None


def test_the_model_with_the_most_urgent_job_goes_first(db):
    for model, priority in (("a-model", 0), ("b-model", 10), ("c-model", 5), ("c-model", 0)):
        mug = factories.product(photo=False)
        asked = factories.spec(mug, provider="gemini", model=model)
        factories.job(
            mug, asked=asked, provider="gemini", model=model, mode="batch", priority=priority,
            is_free=False,
        )  # fmt: skip
    assert [model for _, model in queries._waiting_models()] == ["b-model", "c-model", "a-model"]
