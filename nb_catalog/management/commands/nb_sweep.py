"""``manage.py nb_sweep``: clean up after dead workers, as running workers also do."""

from collections import Counter

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from nb_catalog.worker import recovery


class Command(BaseCommand):
    help = (
        "Requeue jobs of dead workers and jobs whose waiting time is over, store pictures that dead "
        "workers left on disk, and mark possibly charged jobs as having an unknown outcome."
    )

    def handle(self, *, verbosity, **options):
        resumed = recovery.resume_after_midnight()
        released = recovery.free_expired_leases()
        requeued = recovery.requeue_due()
        adopted = Counter(outcome.move for outcome in recovery.adopt_spooled())
        lost = len(recovery.mark_lost())
        if verbosity:
            for line in (
                _("Runs resumed after a daily budget: %s") % resumed,
                _("Jobs released from dead workers: %s") % released,
                _("Waiting jobs queued again: %s") % requeued,
                _("Pictures recovered from disk: %s") % adopted["succeed"],
                _("Unusable pictures on disk: %s") % (adopted.total() - adopted["succeed"]),
                _("Jobs marked as unknown outcome: %s") % lost,
            ):
                self.stdout.write(line)
