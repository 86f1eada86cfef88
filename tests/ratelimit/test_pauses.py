"""Pauses of a provider's model, which all workers heed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import ratelimit
from nb_catalog.exceptions import (
    ContentRefused,
    DailyQuotaReached,
    OutcomeUnknown,
    ProviderStopped,
    RateLimited,
    ServiceUnavailable,
)
from nb_catalog.models import ImageJob, ProviderPause
from tests import factories

pytestmark = pytest.mark.django_db

MODEL = ("gemini", "gemini-3-pro-image")
MINUTE = timedelta(minutes=1)


def pause(minutes, *, reason="Slow down.", of=MODEL):
    until = timezone.now() + minutes * MINUTE
    ratelimit.pause(*of, until=until, reason=reason)
    return until


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimited("Slow."), 2),
        (RateLimited("Slow.", retry_after=0.5), 2),
        (RateLimited("Slow.", retry_after=37), 37),
        (DailyQuotaReached("Tomorrow.", retry_after=3600), 3600),
    ],
)
def test_a_rate_limit_pauses_for_as_long_as_it_says_and_two_seconds_at_least(error, seconds):
    assert ratelimit.backoff_for(error) == timedelta(seconds=seconds)


def test_a_stopped_provider_waits_for_a_person():
    assert ratelimit.backoff_for(ProviderStopped("Cap.", retry_after=5)) > timedelta(days=3000)


@pytest.mark.parametrize("kind", [ContentRefused, OutcomeUnknown, ServiceUnavailable])
def test_an_error_about_one_call_pauses_nothing(kind):
    assert ratelimit.backoff_for(kind("No.", retry_after=9)) is None


def test_a_pause_holds_for_its_model_until_it_is_over():
    until = pause(5)
    assert ratelimit.active_pauses(until - MINUTE) == {MODEL}
    assert ratelimit.active_pauses(until) == set()


def test_a_longer_pause_replaces_a_shorter_one_and_never_the_other_way_round():
    longer = pause(10, reason="Quota.")
    pause(1, reason="Rate.")
    row = ProviderPause.objects.get()
    assert (row.until, row.reason) == (longer, "Quota.")
    longest = pause(20, reason="Cap.")
    row.refresh_from_db()
    assert (row.until, row.reason) == (longest, "Cap.")


def test_a_reason_of_any_length_is_kept_as_far_as_it_fits():
    pause(1, reason="x" * 5000)
    assert ProviderPause.objects.get().reason == "x" * 199 + "…"


def test_a_reason_is_fit_to_be_stored_whoever_wrote_it():
    pause(1, reason="half \ud800, nul \0, escape \x1b[31m, override \u202e\nline")
    assert ProviderPause.objects.get().reason == "half \ufffd, nul , escape [31m, override line"


def test_jobs_of_other_models_and_providers_stay_open():
    jobs = {
        pair: factories.job(asked=factories.spec(factories.product(photo=False), **{
            "provider": pair[0], "model": pair[1],
        }))
        for pair in [MODEL, ("gemini", "another"), ("gateway", MODEL[1])]
    }  # fmt: skip
    pause(5)
    pause(5, of=("gateway", "another"))
    open_now = ratelimit.exclude_models(ratelimit.active_pauses(timezone.now()))
    assert set(ImageJob.objects.filter(open_now)) == {
        job for pair, job in jobs.items() if pair != MODEL
    }


def test_without_a_pause_everything_is_open():
    job = factories.job()
    open_now = ratelimit.exclude_models(ratelimit.active_pauses(timezone.now()))
    assert list(ImageJob.objects.filter(open_now)) == [job]
