"""``manage.py nb_status``: how the work stands."""

import json

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from nb_catalog.admin.formatting import duration
from nb_catalog.core.states import JobState
from nb_catalog.operations import status


class Command(BaseCommand):
    help = (
        "Print how the work stands: queue, workers, rate, spending, what is stuck and who must wait. "
        "Exit status 1 when somebody should look."
    )

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, **options):
        now = status.collect()
        if options["json"]:
            self.stdout.write(json.dumps(now.as_dict(), indent=2))
        else:
            for name, value in _lines(now):
                self.stdout.write(f"{name + ':':24}{value}")
            for problem in now.problems:
                self.stdout.write(self.style.ERROR(_said(problem)))
        if now.problems:
            raise SystemExit(1)


def _lines(now):
    for state in JobState:
        if now.jobs.get(state):
            yield state.label, now.jobs[state]
    if not any(now.jobs.values()):
        yield _("jobs"), _("none waiting")
    if now.oldest_seconds is not None:
        yield _("oldest queued job"), duration(now.oldest_seconds)
    yield _("workers with jobs"), now.workers
    yield _("pictures per minute"), f"{now.per_minute:.1f}"
    if now.lost:
        yield _("expired leases"), now.lost
    if now.batches:
        yield _("batches"), now.batches
    if now.staged:
        yield _("paid, not yet stored"), now.staged
    budget = _("of %s") % now.budget_today_usd if now.budget_today_usd is not None else ""
    yield _("spent today (UTC)"), f"{now.spent_today_usd} USD {budget}".strip()
    if now.reserved_today_usd:
        yield _("reserved today"), f"{now.reserved_today_usd} USD"
    if now.open_calls:
        yield _("calls of unknown cost"), f"{now.open_calls} ({now.open_usd} USD)"
    for reason, count in now.paused_runs.items():
        yield _("paused runs"), f"{count} ({reason})"
    for pause in now.pauses:
        until = _("until resumed manually") if pause.needs_person else pause.until
        model = pause.model or _("all models")
        yield _("paused"), f"{pause.provider} {model}: {pause.cause}, {until}"
    for name, cap in now.caps.items():
        yield _("concurrency limited"), f"{name}: {cap}"


def _said(problem):
    return {
        "nobody_works": _("Jobs are waiting, but no worker is running. Start manage.py nb_worker."),
        "lost_jobs": _("Some leases expired long ago. Start a worker, or run manage.py nb_sweep."),
        "provider_stopped": _(
            "A provider is paused until resumed manually. See “Provider pauses” in the admin."
        ),
    }[problem]
