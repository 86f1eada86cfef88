"""Many jobs against a Gemini that spoils three calls in ten, and what has to hold afterwards.

A person is played too: whoever looks at a breaker and closes it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from hashlib import sha256

from django.utils import timezone

from nb_catalog import generation, worker
from nb_catalog.core.states import JOB_UNDERWAY
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, ProviderPause
from nb_catalog.models.db.money import micros
from nb_catalog.testing.gemini import FAULTS, GeminiServer, Rate
from nb_catalog.testing.gemini.faults import STOPPING
from nb_catalog.worker import outcomes, spool
from nb_catalog.worker.recovery import requeue_due
from tests import factories
from tests.catalog.models import Mug
from tests.worker.conftest import money_is_sound

KEY = "soak-key"
# Per call: long for a local server, short beside an answer that drips.
TIMEOUT = 8.0
RATE = Rate(0.3, seed=7, kinds=sorted(FAULTS))
TIERS = {
    "draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
}


def settings_for(server: GeminiServer) -> dict:
    options = {"api_key": KEY, "base_url": server.url, "timeout": TIMEOUT}
    gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
    return {"PROVIDERS": {"gemini": gemini}, "TIERS": TIERS, "CONCURRENCY": 16}


def start(jobs: int, *, batch: bool = False, treatment: str = "painted"):
    """A run of ``jobs`` pictures, each of a product of its own and so with words of its own."""
    template = factories.product()
    Mug.objects.bulk_create(
        [Mug(name=f"Soaked {number}", colour="blue", packshot=template.packshot.name)
         for number in range(jobs)]
    )  # fmt: skip
    plan = generation.plan_backgrounds(
        Mug.objects.filter(name__startswith="Soaked"),
        scenes=[factories.scene()],
        treatment=treatment,
        mode="batch" if batch else "direct",
    )
    return runs.start_run(plan)


def work_it_off(*, progress: Callable[[int], None] = lambda left: None, rounds: int = 5000) -> int:
    """Work until nothing is underway, closing breakers as a person would; how often that was."""
    closed = 0
    outcomes.SHORTEST_WAIT = 0.01
    for _ in range(rounds):
        worker.drain(concurrency=16)
        left = ImageJob.objects.filter(state__in=JOB_UNDERWAY).count()
        progress(left)
        if not left:
            return closed
        closed += ProviderPause.objects.all().delete()[0]
        ImageJob.objects.filter(state="waiting").update(not_before=timezone.now())
        requeue_due()
    raise AssertionError("It never ends.")


def verify(server: GeminiServer, run) -> dict[str, int]:
    """Raise for whatever does not hold; counts of what was met on the way."""
    jobs = list(ImageJob.objects.filter(run=run))
    calls = defaultdict(list)
    for call in ProviderCall.objects.order_by("epoch"):
        calls[call.job_id].append(call)
    for job in jobs:
        explained(job, calls[job.pk])
    calls_are_the_ledgers(server, jobs, calls)
    money_is_the_ledgers(server)
    nothing_is_left(server)
    return Counter(job.state for job in jobs) | Counter(
        {f"fault {entry.fault}": 1 for entry in server.request_log.calls() if entry.fault}
    )


def explained(job: ImageJob, calls: list[ProviderCall]) -> None:
    """The job's last call says how it ended, and each one before it why there was another."""
    *before, last = calls
    ends = {
        "succeeded": last.outcome == "picture",
        "refused": last.error_code == "content_refused",
        "unknown": last.outcome == "unknown",
        "failed": last.outcome == "failed" and last.error_code == job.error_code,
    }
    assert ends[job.state], (job.state, last.outcome, last.error_code)
    assert job.state == "succeeded" or job.error, "a sentence says why"
    for call in before:
        assert call.outcome in {"failed", "not_sent"}, "after any other there is no next call"
        assert call.error_code not in {"content_refused", "outcome_unknown", "request_rejected"}
    if job.state == "failed" and last.error_code in {"no_picture", "service_unavailable"}:
        assert job.attempts == 4, "given up only after its tries"


def calls_are_the_ledgers(server, jobs, calls) -> None:
    """One to one: what the server saw for each job's words is what is on record for the job."""
    seen = server.request_log.by_prompt()
    for job in jobs:
        sent = [call for call in calls[job.pk] if call.outcome != "not_sent"]
        assert seen.pop(sha256(job.wanted.prompt.encode()).hexdigest()) == len(sent), job.pk
    assert not seen, "calls that nobody has on record"
    billed = Counter(entry.prompt for entry in server.request_log.calls() if entry.worked)
    assert max(billed.values()) <= 4, "paid more often than the policy allows"


def money_is_the_ledgers(server) -> None:
    """To the micro-dollar: what was told is booked, what was not keeps its reservation."""
    told = sum(
        micros(e.billed_usd) for e in server.request_log.calls() if e.worked and e.reports_usage
    )
    untold = [e for e in server.request_log.calls() if e.worked and not e.reports_usage]
    assert money_is_sound() == told
    open_calls = ProviderCall.objects.filter(cost_microusd=None)
    assert open_calls.count() >= len(untold), "what may be billed is reserved"
    reserved = sum(call.estimate_microusd for call in open_calls)
    assert reserved >= sum(micros(entry.billed_usd) for entry in untold)


def nothing_is_left(server) -> None:
    assert server.in_flight == 0
    assert not ProviderCall.objects.filter(outcome="in_flight").exists()
    assert not list(spool.names())
    assert ProductImage.objects.count() == ImageJob.objects.filter(state="succeeded").count()


def nothing_is_lost_or_repeated(server: GeminiServer, run) -> None:
    """After workers were killed: every call of the server's books is on record, no job was billed
    twice or has two pictures, and what was made is there."""
    jobs = list(ImageJob.objects.filter(run=run))
    seen = server.request_log.by_prompt()
    on_record = Counter(ProviderCall.objects.values_list("job_id", flat=True))
    for job in jobs:
        sent = seen.pop(sha256(job.wanted.prompt.encode()).hexdigest(), 0)
        calls = ProviderCall.objects.filter(job=job).values_list("epoch", "outcome", "error_code")
        assert sent <= min(1, on_record[job.pk]), f"job {job.pk}: {sent} calls, {list(calls)}"
    assert not seen, "calls that nobody has on record"
    pictures = Counter(ProductImage.objects.values_list("job_id", flat=True))
    made = {job.pk for job in jobs if job.state == "succeeded"}
    assert pictures == Counter(dict.fromkeys(made, 1))
    assert not ProviderCall.objects.filter(outcome="in_flight").exists()
    assert not list(spool.names())
    money_is_sound()


def kinds_met(server) -> set[str]:
    return {entry.fault for entry in server.request_log.calls() if entry.fault}


__all__ = ["RATE", "STOPPING", "kinds_met", "settings_for", "start", "verify", "work_it_off"]
