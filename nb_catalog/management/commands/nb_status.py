"""``manage.py nb_status``: status of the queue, the workers and spending."""

import json

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from nb_catalog.admin.formatting import duration
from nb_catalog.core.states import JobState
from nb_catalog.core.time_left import in_steps
from nb_catalog.generation.progress import as_data, progress_of, unfinished_runs
from nb_catalog.operations import status

# The newest unfinished ones.
RUNS = 5


class Command(BaseCommand):
    help = (
        "Print the status of the queue, workers, throughput, spending, stuck jobs and paused providers. "
        "Exits with status 1 if something needs attention."
    )

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, **options):
        current, runs = status.collect(), unfinished_runs(RUNS)
        if options["json"]:
            data = {"runs": [as_data(run, progress_of(run)) for run in runs]}
            self.stdout.write(json.dumps(current.as_dict() | data, indent=2))
        else:
            for name, value in (*report_lines(current), *map(run_line, runs)):
                self.stdout.write(f"{name + ':':24}{value}")
            for problem in current.problems:
                self.stdout.write(self.style.ERROR(status.describe_problem(problem)))
        if current.problems:
            raise SystemExit(1)


def run_line(run):
    """Return the name of ``run``, and its progress with the time left."""
    progress = progress_of(run)
    made = _("%(percent)s %% of %(asked)s") % {
        "percent": progress.percent,
        "asked": _("not yet known") if progress.asked is None else progress.asked,
    }
    left = _("time left not known")
    if progress.seconds_left is not None:
        left = _("about %s left") % duration(in_steps(progress.seconds_left))
    causes = ", ".join(each.cause for each in progress.waits)
    waits = _("waiting for: %s") % causes if causes else ""
    return _("run %s") % run.pk, ", ".join(filter(None, (made, left, waits)))


def report_lines(report):
    for state in JobState:
        if report.jobs.get(state):
            yield state.label, report.jobs[state]
    if not any(report.jobs.values()):
        yield _("jobs"), _("none waiting")
    if report.oldest_seconds is not None:
        yield _("oldest queued job"), duration(report.oldest_seconds)
    yield _("workers with jobs"), report.workers
    yield _("pictures per minute"), f"{report.per_minute:.1f}"
    if report.lost:
        yield _("expired leases"), report.lost
    if report.batches:
        yield _("batches"), report.batches
    if report.staged:
        yield _("paid, not yet stored"), report.staged
    budget = _("of %s") % report.budget_today_usd if report.budget_today_usd is not None else ""
    yield _("spent today (UTC)"), f"{report.spent_today_usd} USD {budget}".strip()
    if report.reserved_today_usd:
        yield _("reserved today"), f"{report.reserved_today_usd} USD"
    if report.open_calls:
        yield _("calls of unknown cost"), f"{report.open_calls} ({report.open_usd} USD)"
    for reason, count in report.paused_runs.items():
        yield _("paused runs"), f"{count} ({reason})"
    for pause in report.pauses:
        until = _("until resumed manually") if pause.needs_person else pause.until
        model = pause.model or _("all models")
        yield _("paused"), f"{pause.provider} {model}: {pause.cause}, {until}"
    if report.failing_webhooks:
        yield _("webhook endpoints that fail"), report.failing_webhooks
    for name, cap in report.caps.items():
        yield _("concurrency limited"), f"{name}: {cap}"
