"""The worker, one order at a time and many at once; the outside is a script."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from nb_catalog.conf import settings as nb_settings
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Size
from nb_catalog.exceptions import (
    ContentRefused,
    DailyQuotaReached,
    ModelRetired,
    NoPicture,
    NotSent,
    OutcomeUnknown,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
)
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, ProviderPause, Run
from nb_catalog.testing.pictures import solid_png
from nb_catalog.testing.scripted import matching_picture
from nb_catalog.worker import Worker, claims, drain, persistence, spool, sweep
from nb_catalog.worker.recovery import requeue_due
from tests import factories
from tests.catalog.models import Mug
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


def drain_until_settled():
    """Drain, and again for what waits to be tried again."""
    for _ in range(20):
        drain()
        ImageJob.objects.filter(state=JobState.WAITING).update(not_before=timezone.now())
        ProviderPause.objects.filter(until__lt=timezone.now() + timedelta(minutes=5)).delete()
        if not requeue_due():
            return
    raise AssertionError("jobs wait for ever")


def test_a_paid_picture_is_recorded_before_and_after(script, start):
    run = start()
    drain()
    job, call, image = (
        ImageJob.objects.get(),
        ProviderCall.objects.get(),
        ProductImage.objects.get(),
    )
    assert (job.state, job.attempts, job.error) == ("succeeded", 1, "")
    assert (call.job, call.outcome, call.model_version) == (
        job,
        "picture",
        "gemini-3.1-flash-lite-image",
    )
    assert call.cost_microusd == 33_910  # 1,240 in at $0.25, 1,120 out at $30, per million
    assert (image.job, image.state, image.width, image.height) == (job, "pending", 1024, 1024)
    assert image.digital_source_type == "trainedAlgorithmicMedia"
    run.refresh_from_db()
    assert run.spent_usd == Decimal("0.03391") and run.reserved_microusd == 0
    assert money_is_sound() == 33_910
    assert not list(spool.names())


def test_the_stored_original_is_what_came(script, start):
    data = solid_png(Size(1024, 1024), colour=(9, 8, 7))
    script.add(data)
    start()
    drain()
    with ProductImage.objects.get().file.open() as file:
        assert file.read() == data


@pytest.mark.parametrize(
    ("error", "state", "calls"),
    [
        (ContentRefused("No."), "refused", 1),
        (RequestRejected("No."), "failed", 1),
        (ModelRetired("No."), "failed", 1),
        (OutcomeUnknown("Gone."), "unknown", 1),
        (ServiceUnavailable("Later."), "succeeded", 2),
        (NotSent("Refused."), "succeeded", 2),
        (NoPicture("Text only."), "succeeded", 2),
        (RateLimited("Slow."), "succeeded", 2),
        (DailyQuotaReached("Tomorrow.", retry_after=1), "succeeded", 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_ends_as_its_family_says(script, start, error, state, calls):
    script.add(error)
    start()
    drain_until_settled()
    assert (ImageJob.objects.get().state, script.count) == (state, calls)
    assert ProviderCall.objects.count() == calls
    money_is_sound()


def test_a_job_that_ends_badly_says_why(script, start):
    script.add(ContentRefused("The scene shows a person.", reason="IMAGE_SAFETY"))
    start()
    drain()
    job = ImageJob.objects.get()
    assert (job.error_code, job.error) == ("content_refused", "The scene shows a person.")
    assert job.finished_at is not None


def test_tries_are_bounded_and_each_is_on_record(script, start):
    script.add(*[NoPicture("Text only.", usage={"prompt": 10, "total": 10})] * 10)
    start()
    drain_until_settled()
    assert script.count == ProviderCall.objects.count() == nb_settings.MAX_ATTEMPTS
    assert ImageJob.objects.get().state == JobState.FAILED
    assert money_is_sound() > 0


def test_an_unknown_outcome_keeps_its_money_and_its_place(script, start):
    script.add(OutcomeUnknown("Gone."))
    run = start()
    drain_until_settled()
    run.refresh_from_db()
    job, call = ImageJob.objects.get(), ProviderCall.objects.get()
    assert (call.outcome, call.cost_microusd) == ("unknown", None)
    assert run.reserved_microusd == job.estimate_microusd > 0
    assert job.live_key == job.fingerprint
    assert runs.retry_run(run) == 0, "a plain retry could pay twice"
    assert runs.retry_run(run, unknown=True) == 1
    drain_until_settled()
    assert ImageJob.objects.get().state == JobState.SUCCEEDED
    money_is_sound()


def test_a_rate_limit_pauses_the_model_for_everybody_and_uses_up_no_try(script, start):
    script.add(RateLimited("Slow.", retry_after=60))
    start(3)
    worker = Worker(concurrency=1)
    worker.run(until_idle=True)
    pause = ProviderPause.objects.get()
    assert pause.until > timezone.now() + timedelta(seconds=50)
    assert Counter(ImageJob.objects.values_list("state", flat=True))["queued"] >= 1
    assert ImageJob.objects.get(state="waiting").attempts == 0


def test_a_spend_cap_stops_the_model_until_a_person_acts(script, start):
    capped = True
    script.add(*[lambda r: ProviderStopped("Cap reached.") if capped else matching_picture(r)] * 5)
    start(5)
    Worker(concurrency=1).run(until_idle=True)
    assert script.count <= 2, "at most one more went out before the first was written down"
    assert ProviderPause.objects.get().until > timezone.now() + timedelta(days=365)
    assert not ImageJob.objects.filter(state="failed").exists()
    capped = False
    ProviderPause.objects.all().delete()
    drain_until_settled()
    assert ImageJob.objects.filter(state="succeeded").count() == 5


def test_a_budget_that_is_reached_pauses_the_run_and_fails_nothing(script, start):
    run = start(5, budget_usd=Decimal("0.10"))
    drain_until_settled()
    run.refresh_from_db()
    assert run.paused_reason == "run_budget"
    assert Counter(ImageJob.objects.values_list("state", flat=True)) == {
        "succeeded": script.count,
        "queued": 5 - script.count,
    }
    assert 0 < script.count < 3 and run.spent_usd <= Decimal("0.10")
    runs.resume_run(run, budget_usd=None)
    drain_until_settled()
    assert script.count == ImageJob.objects.filter(state="succeeded").count() == 5
    money_is_sound()


def test_a_day_s_budget_pauses_and_goes_on_when_there_is_room(script, start, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "0.05"}
    run = start(3)
    drain_until_settled()
    run.refresh_from_db()
    assert run.paused_reason == "day_budget" and script.count == 1
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "5"}
    drain_until_settled()
    assert script.count == 3


def test_calls_in_flight_stay_within_concurrency(script, start):
    script.seconds = 0.05
    start(12)
    Worker(concurrency=4).run(until_idle=True)
    assert script.most_in_flight == 4
    assert ImageJob.objects.filter(state="succeeded").count() == 12


def test_a_locked_picture_keeps_the_model_s_ground_beside_the_composite(script, start):
    start(treatment="locked")
    drain()
    ground, picture = ProductImage.objects.order_by("pk")
    assert (ground.kind, picture.kind, picture.parent) == ("backdrop", "picture", ground)
    assert picture.digital_source_type == "compositeWithTrainedAlgorithmicMedia"
    # The photo has 120 x 150 pixels.
    assert (ground.width, ground.height) == (1024, 1024)
    assert picture.checks["small_photo"]["made"] == [512, 512] == [picture.width, picture.height]
    assert not script.requests[0].references, "the ground is painted without the product"


def test_a_member_of_a_set_has_its_place_on_the_model_s_ground(script, start):
    start(treatment="locked")
    job = ImageJob.objects.get()
    camera = {"view": "front", "framing": {"fill": 0.5, "baseline": 0.2}, "to_scale": True}
    ImageJob.objects.update(spec={**job.spec, "camera": camera, "proportion": 0.6})
    drain()
    picture = ProductImage.objects.get(kind="picture")
    _left, top, _width, height = (each / picture.height for each in picture.checks["product"])
    assert height == pytest.approx(0.5 * 0.6, abs=0.005)
    assert top + height == pytest.approx(0.8, abs=0.005)


def test_a_photo_that_cannot_be_cut_out_is_refused_before_it_is_paid_for(script, start):
    start(treatment="locked")
    mug = Mug.objects.get()
    busy = factories.photo_bytes(colour="white", ground="white")
    with mug.packshot.storage.open(mug.packshot.name, "wb") as file:
        file.write(busy)
    drain()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code, script.count) == ("failed", "cutout_refused", 0)
    assert "What would work" in job.error


def test_a_late_picture_is_kept_and_the_job_finishes_once(script, start):
    """The lease is lost while the call is out, and another process calls the job unknown."""

    def while_out(request):
        with ThreadPoolExecutor(1) as other_process:
            other_process.submit(lose).result()
        return matching_picture(request)

    def lose():
        ImageJob.objects.update(lease_until=timezone.now() - timedelta(hours=1))
        sweep()
        assert ImageJob.objects.get().state == JobState.UNKNOWN
        connection.close()

    start()
    script.add(while_out)
    drain()
    assert ImageJob.objects.get().state == JobState.SUCCEEDED
    assert ProductImage.objects.count() == 1
    assert ProviderCall.objects.get().outcome == "picture"
    money_is_sound()


def test_a_worker_that_lost_its_job_to_another_changes_nothing_but_keeps_the_picture(script, start):
    start()
    job = claims.claim(owner="slow", limit=1, free=False)[0]
    ImageJob.objects.update(lease_until=timezone.now() - timedelta(hours=1))
    drain()
    assert ImageJob.objects.get().state == JobState.SUCCEEDED
    assert persistence.write_outcomes([job], []) == [False], "a lost lease begins nothing"
    assert script.count == ProviderCall.objects.count() == 1


def test_jobs_of_urgent_runs_go_first(script, start):
    start(2)
    urgent = start(1)
    ImageJob.objects.filter(run=urgent).update(priority=5)
    job = claims.claim(owner="me", limit=1, free=False)[0]
    assert job.run_id == urgent.pk


def test_the_worker_stops_when_its_slice_is_over(script, start):
    script.seconds = 0.1
    start(30)
    started = time.monotonic()
    outcomes = Worker(concurrency=1).run(seconds=0.3)
    assert 0 < outcomes["succeed"] < 30
    assert time.monotonic() - started < 120
    left = ImageJob.objects.exclude(state="succeeded")
    assert not left.filter(state="calling").exists()


def test_what_is_claimed_and_not_begun_is_handed_back_at_the_end(script, start):
    script.seconds = 0.2
    start(10)
    worker = Worker(concurrency=2)
    worker.run(seconds=0.1)
    states = Counter(ImageJob.objects.values_list("state", flat=True))
    assert not states["leased"] and not states["calling"]


def test_free_work_costs_no_call_row(start):
    start(2, treatment="locked")
    drain()
    assert ImageJob.objects.filter(state="succeeded").count() == 2
    assert not ProviderCall.objects.exists()
    assert Run.objects.get().spent_microusd == 0


def test_a_picture_that_was_made_since_its_job_was_written_is_not_paid_for_again(script, start):
    start(2)
    first, second = ImageJob.objects.order_by("pk")
    about = Mug.objects.get(pk=first.object_id)
    factories.image(about, asked=first.wanted)
    drain()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.error_code) == ("cancelled", "made_meanwhile")
    assert (second.state, script.count) == ("succeeded", 1)
    assert first.live_key is None
    money_is_sound()


def test_a_picture_beyond_the_site_s_limits_is_paid_once_and_its_bytes_are_kept(
    script, start, settings
):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_PIXELS": 1_000_000}
    start()
    drain_until_settled()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code, script.count) == ("failed", "answer_too_large", 1)
    (kept,) = nb_settings.STAGING_DIR.glob("*.broken")
    assert kept.read_bytes() == matching_picture(script.requests[0]) and str(kept) in job.error
    assert "usage" in json.loads(kept.with_suffix(".json").read_text())
    assert money_is_sound() > 0


def test_a_claim_walks_along_the_index_and_sorts_nothing():
    """Whatever the length of the queue: the plan of the database says so."""
    from django.db import connection

    from nb_catalog.worker import queue

    if connection.vendor != "sqlite":
        pytest.skip("other databases plan by the rows that there are")
    for free in (True, False):
        plan = queue.queued(free=free)[:100].explain()
        assert "state=? AND mode=? AND is_free=?" in plan
        assert "ORDER BY" not in plan
