"""What nobody foresees after a call: odd text, broken code, changed settings, two sweeps at once."""

import threading
from dataclasses import replace

import pytest

from nb_catalog import worker
from nb_catalog.exceptions import RequestRejected
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.providers import provider
from nb_catalog.providers.types import ImageResult
from nb_catalog.registry import source_for
from nb_catalog.worker import claims, persistence, recovery, results, spool
from tests.bad_input.conftest import at_once
from tests.catalog.models import Mug
from tests.worker.conftest import money_is_sound
from tests.worker.test_recovery import RESULT, calling, expire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]


def broken(*_args, **_options):
    raise MemoryError


def staged(result=RESULT):
    """A call whose worker died after the answer was put aside."""
    job = calling()
    spool.put(job.spool_name, result)
    expire()
    return job


def without_its_provider(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "PROVIDERS": {}, "TIERS": {}}


def test_half_a_surrogate_in_an_error_stops_nobody(script, start):
    script.add(RequestRejected("Half a sign: \ud83d"))
    start(2)
    worker.drain()
    assert sorted(ImageJob.objects.values_list("state", flat=True)) == ["failed", "succeeded"]
    assert ImageJob.objects.get(state="failed").error == "Half a sign: \ufffd"


def test_one_ending_that_cannot_be_written_does_not_stop_the_others(script, start, monkeypatch):
    monkeypatch.setattr("nb_catalog.worker.outcomes.strip_unstorable", str)
    script.add(RequestRejected("Half a sign: \ud83d"))
    start(3)
    worker.drain()
    assert ImageJob.objects.filter(state="succeeded").count() == 2


def test_a_nul_in_a_receipt_does_not_cost_the_picture(script, start):
    start()
    staged(replace(RESULT, request_id="r\0r", model_version="m\0m"))
    worker.drain()
    assert ImageJob.objects.get().state == "succeeded"
    assert ProviderCall.objects.get().request_id == "rr"
    assert ProductImage.objects.get().provenance["model_version"] == "mm"


def test_what_breaks_after_the_answer_came_leaves_its_bytes_to_a_sweep(script, start, monkeypatch):
    start()
    with monkeypatch.context() as patched:
        patched.setattr(results, "store_result", broken)
        worker.drain()
    assert ImageJob.objects.get().state == "unknown"
    assert len(list(spool.names())) == 1, "what was paid for lies on disk"
    worker.sweep()
    assert ImageJob.objects.get().state == "succeeded" and script.count == 1
    assert money_is_sound() == 33_910


def test_bytes_that_no_sweep_can_take_in_are_set_aside_and_stop_no_worker(
    script, start, monkeypatch
):
    start()
    job = staged()
    monkeypatch.setattr(results, "store_result", broken)
    worker.drain()
    assert ImageJob.objects.get().state == "unknown"
    aside = spool.path(job.spool_name).with_suffix(".broken")
    assert RESULT.data in aside.read_bytes() and not list(spool.names())


def test_a_provider_that_left_the_settings_fails_its_jobs_and_says_so(script, start, settings):
    start()
    without_its_provider(settings)
    worker.drain()
    job = ImageJob.objects.get()
    assert job.state == "failed" and "there is no such provider" in job.error


def test_bytes_of_a_provider_that_left_the_settings_are_set_aside(script, start, settings):
    start()
    job = staged()
    without_its_provider(settings)
    worker.drain()
    assert ImageJob.objects.get().state == "unknown"
    assert spool.path(job.spool_name).with_suffix(".broken").exists()


def test_products_that_the_shop_s_code_cannot_find_fail_their_jobs_only(script, start, monkeypatch):
    start()
    monkeypatch.setattr(type(source_for(Mug)), "queryset", broken)
    worker.drain()
    job = ImageJob.objects.get()
    assert job.state == "failed" and "broke with MemoryError" in job.error


def test_a_picture_whose_card_left_the_settings_is_kept_at_an_unknown_cost(
    script, start, monkeypatch
):
    start()
    staged()
    monkeypatch.setattr("nb_catalog.providers.model_specs.SHIPPED", {})
    worker.drain()
    assert ProductImage.objects.count() == 1
    assert ProviderCall.objects.get().cost_microusd is None


def test_two_sweeps_that_find_the_same_bytes_keep_and_pay_them_once(script, start, monkeypatch):
    run = start()
    staged()
    transition_jobs(ImageJob.objects.all(), "lose")
    runs.retry_run(run, unknown=True)
    both, keep = threading.Barrier(2), results.store_result

    def together(*args, **options):
        kept = keep(*args, **options)
        both.wait(120)
        return kept

    monkeypatch.setattr(results, "store_result", together)
    # As on a system that cannot lock files, where nothing keeps the second from reading them as well.
    monkeypatch.setattr(spool, "_lock", lambda file: True)
    at_once(recovery.adopt_spooled, recovery.adopt_spooled)
    assert ProductImage.objects.count() == 1
    assert money_is_sound() == 33_910


def test_whether_work_waits_is_asked_outside_of_a_transaction(script, start):
    assert not worker.work_is_waiting()
    start()
    assert worker.work_is_waiting()


def test_free_work_that_two_workers_finish_is_one_picture(start):
    start(treatment="locked")
    jobs = []
    for owner in ("slow", "quick"):
        jobs += claims.claim(owner=owner, limit=1, free=True)
        assert persistence.write_outcomes(jobs[-1:], []) == [True]
        expire()
        recovery.free_expired_leases()
        if owner == "slow":
            recovery.requeue_due()
    ImageJob.objects.update(state="calling", lease_owner="quick")
    result = ImageResult(data=RESULT.data, mime_type="image/png")
    local = provider("local")
    for job in jobs:
        outcome = results.store_result(job, result, provider=local)
        persistence.write_outcomes([], [outcome])
    assert ProductImage.objects.count() == 1
    assert ImageJob.objects.get().state == "succeeded"
