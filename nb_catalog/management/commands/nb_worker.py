"""``manage.py nb_worker``: generate queued pictures until stopped."""

import argparse
import signal
import sys
import threading
from collections import Counter
from contextlib import contextmanager

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from nb_catalog import webhooks
from nb_catalog.core.states import JOB_TRANSITIONS, JOB_UNDERWAY, JobState
from nb_catalog.models import ImageJob
from nb_catalog.publishing import upkeep
from nb_catalog.worker import Worker

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    help = (
        "Generate queued pictures. SIGTERM and Ctrl-C let jobs in progress finish; a second signal "
        "stops immediately."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="Stop when the queue is empty.")
        parser.add_argument(
            "--concurrency", type=_at_least_one, help="Maximum paid calls in flight (CONCURRENCY)."
        )
        parser.add_argument(
            "--free-threads",
            type=_at_least_one,
            help="Maximum pictures rendered locally at a time (FREE_THREADS).",
        )
        parser.add_argument("--seconds", type=_seconds, help="Stop after about this many seconds.")

    def handle(self, *, once, concurrency, free_threads, seconds, verbosity, **options):
        counts = Counter()
        with self.reporter(verbosity=verbosity, once=once) as report:
            worker = Worker(
                concurrency=concurrency,
                free_threads=free_threads,
                on_outcome=lambda outcome: (counts.update([outcome.move]), report(outcome)),
            )
            if once:
                upkeep.run_due()
            with stop_on_signals(worker), webhooks.in_background(), upkeep.in_background():
                worker.run(until_idle=once, seconds=seconds)
        if not verbosity:
            return
        generated = counts.pop("succeed", 0) + counts.pop("adopt", 0)
        parts = [
            ngettext("%(n)s picture generated", "%(n)s pictures generated", generated)
            % {"n": generated},
            *(f"{number} {_state_after(move)}" for move, number in counts.items()),
            _("%(n)s remaining") % {"n": _underway()},
        ]
        self.stdout.write(", ".join(parts) + ".")

    @contextmanager
    def reporter(self, *, verbosity, once):
        """Yield the function that reports each outcome: as a line, in a progress bar, or not at all."""
        if verbosity >= 2:

            def report(outcome):
                self.stdout.write(describe(outcome))
                self.stdout.flush()  # into a pipe or a log, too

            yield report
        elif verbosity and once and sys.stderr.isatty():
            with tqdm(total=_underway(), unit=_("picture"), file=sys.stderr) as bar:
                counts = Counter()

                def advance(outcome):
                    if JOB_TRANSITIONS[outcome.move].target not in JOB_UNDERWAY:
                        bar.update()
                    counts[outcome.move] += 1
                    bar.set_postfix({_state_after(move): n for move, n in counts.items()})

                yield advance
        else:
            yield lambda outcome: None


def _at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected a whole number, at least 1")
    return number


def _seconds(text):
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("expected a positive number of seconds")
    return number


@contextmanager
def stop_on_signals(worker):
    """Stop ``worker`` gracefully on the first signal; a second one reaches Python's own handler."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(_number, _frame):
        worker.stop()
        restore()

    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


def _underway():
    return ImageJob.objects.filter(state__in=JOB_UNDERWAY).count()


def describe(outcome):
    """Return one line about ``outcome``, without the error text: a provider's may quote the prompt."""
    job = outcome.job
    line = _("Job %(job)s: %(state)s (%(tier)s, %(model)s)") % {
        "job": job.job_id,
        "state": _state_after(outcome.move),
        "tier": job.tier,
        "model": job.spec.model,
    }
    return f"{line} [{outcome.error_code}]" if outcome.error_code else line


def _state_after(move):
    return JobState(JOB_TRANSITIONS[move].target).label.lower()
