"""``manage.py nb_sweep``: tidy up after workers that died. Workers do so themselves too."""

from collections import Counter

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from nb_catalog.worker import recovery


class Command(BaseCommand):
    help = (
        "Queue again what dead workers held and what has waited long enough, store the pictures "
        "that they left on disk, and call lost what may have been charged."
    )

    def handle(self, *, verbosity, **options):
        resumed = recovery.resume_after_midnight()
        freed = recovery.free_expired_leases()
        promoted = recovery.requeue_due()
        adopted = Counter(ending.move for ending in recovery.adopt_spooled())
        lost = len(recovery.mark_lost())
        if verbosity:
            for line in (
                _("Runs resumed after a daily budget: %s") % resumed,
                _("Jobs released from dead workers: %s") % freed,
                _("Waiting jobs queued again: %s") % promoted,
                _("Pictures recovered from disk: %s") % adopted["succeed"],
                _("Unusable pictures on disk: %s") % (adopted.total() - adopted["succeed"]),
                _("Jobs marked as unknown outcome: %s") % lost,
            ):
                self.stdout.write(line)
