"""Signals: after the commit, with ids, and a receiver that breaks harms nobody."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from nb_catalog import ratelimit, signals, worker
from nb_catalog.billing import budgets
from nb_catalog.exceptions import ContentRefused, OutcomeUnknown, RateLimited, RequestRejected
from nb_catalog.models import ImageJob, Placement, ProductImage, ProviderPause, Run
from nb_catalog.worker import claims, outcomes, persistence, recovery
from tests import factories
from tests.worker.conftest import script, start  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def heard(signal):
    """What is sent meanwhile, and whether a transaction was open."""
    found = []

    def listen(sender, signal, **facts):
        found.append((sender, connection.in_atomic_block, facts))

    signal.connect(listen)
    try:
        yield found
    finally:
        signal.disconnect(listen)


def test_each_made_picture_is_told_after_its_commit(script, start):  # noqa: F811 - the fixtures
    with heard(signals.image_made) as found:
        start(2)
        worker.drain()
    images = {(image.pk, image.job_id) for image in ProductImage.objects.all()}
    assert {(facts["image_id"], facts["job_id"]) for _s, _open, facts in found} == images
    assert {(sender, is_open) for sender, is_open, _f in found} == {(ProductImage, False)}


@pytest.mark.parametrize(
    ("error", "state"),
    [(ContentRefused("No."), "refused"), (RequestRejected("No."), "failed"),
     (OutcomeUnknown("Gone."), "unknown")],
)  # fmt: skip
def test_a_job_that_ends_badly_is_told(script, start, error, state):  # noqa: F811
    script.add(error)
    with heard(signals.job_failed) as found:
        start(1)
        worker.drain()
    ((sender, is_open, facts),) = found
    job = ImageJob.objects.get()
    assert (sender, is_open) == (ImageJob, False)
    assert facts == {"job_id": job.pk, "state": state, "error_code": error.code}


def test_a_paused_run_is_told_once():
    run = factories.run(budget_usd="0.0001")
    with heard(signals.budget_paused) as found:
        for _ in range(2):
            with transaction.atomic():
                budgets.reserve({run.pk: {1: 90, 2: 90}}, day=run.created_at.date())
    ((sender, _open, facts),) = found
    assert sender is Run and facts == {"run_id": run.pk, "reason": "run_budget"}


def test_a_publication_is_told_and_a_roll_back_of_one_too():
    from nb_catalog.publishing import placements

    with heard(signals.image_published) as found:
        placement = factories.published()
    ((sender, _open, facts),) = found
    assert sender is Placement
    assert facts["placement_id"] == placement.pk and facts["image_id"] == placement.image_id
    with heard(signals.image_published) as found:
        placements.withdraw(placement, actor=None)
    assert found == [], "nothing is published by taking away"


def test_what_did_not_happen_is_not_told():
    run = factories.run(budget_usd="0.0001")
    with (
        heard(signals.budget_paused) as found,
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
    ):
        budgets.reserve({run.pk: {1: 900}}, day=run.created_at.date())
        raise ZeroDivisionError
    assert found == []


def test_a_receiver_that_breaks_is_logged_and_harms_nobody(script, start, caplog):  # noqa: F811
    def broken(sender, **facts):
        raise ZeroDivisionError

    signals.image_made.connect(broken)
    try:
        with heard(signals.image_made) as found:
            start(1)
            worker.drain()
    finally:
        signals.image_made.disconnect(broken)
    assert ImageJob.objects.get().state == "succeeded" and len(found) == 1
    assert "A receiver raised an exception" in caplog.text


def test_keys_are_known_where_the_database_does_not_tell_them(script, start, monkeypatch):  # noqa: F811
    """MySQL, which has no RETURNING: surroundings and the composite on them, and their signals."""
    features = type(connection.features)
    monkeypatch.setattr(features, "can_return_rows_from_bulk_insert", False)
    with heard(signals.image_made) as found:
        start(1, treatment="locked")
        worker.drain()
    ground, composite = ProductImage.objects.order_by("pk")
    assert composite.parent == ground
    assert [facts["image_id"] for _s, _o, facts in found] == [ground.pk, composite.pk]


def test_a_job_that_kills_its_workers_is_told():
    gone = timezone.now() - timedelta(minutes=5)
    job = factories.job(state="leased", lease_owner="dead", lease_until=gone, attempts=10)
    with heard(signals.job_failed) as found:
        recovery.free_expired_leases()
    ((_sender, is_open, facts),) = found
    assert facts == {"job_id": job.pk, "state": "failed", "error_code": "worker_died"}
    assert not is_open


def test_many_errors_that_say_the_same_are_heeded_once_and_the_longest_wait_counts(monkeypatch):
    def outcome(seconds):
        about = factories.product(photo=False)
        row = factories.job(about, asked=factories.spec(about, provider="paid"), state="calling")
        job = claims.claimed_job(row, owner="one")
        return outcomes.outcome_for_error(job, RateLimited("Slow.", retry_after=seconds))

    heeded = []
    heed = ratelimit.record_backoff
    monkeypatch.setattr(
        ratelimit,
        "record_backoff",
        lambda error, **where: heeded.append(error) or heed(error, **where),
    )
    persistence.write_outcomes([], [outcome(seconds) for seconds in (5, 90, None, 7)])
    assert [error.retry_after for error in heeded] == [90]
    pause = ProviderPause.objects.get()
    assert (pause.until - timezone.now()).total_seconds() == pytest.approx(90, abs=5)
