"""``manage.py nb_galleries``: what was delivered into the shop's own pictures; deliver, retry, take back."""

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nb_catalog.models import GalleryDelivery
from nb_catalog.models.galleries import GalleryState
from nb_catalog.publishing import galleries
from nb_catalog.publishing.galleries import backfill, decisions, outbox

# Problems that are listed.
MOST = 50


class Command(BaseCommand):
    help = (
        "Show what was delivered into the shop's own pictures. “deliver” delivers what is due, and what was "
        "published before its gallery was declared; “retry” also what has failed; “take-back” restores what "
        "was there before. A running worker delivers by itself."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "action",
            nargs="?",
            default="status",
            choices=("status", "deliver", "retry", "take-back"),
        )
        parser.add_argument("--gallery", default="", help="Only the gallery with this key.")

    def handle(self, *, action, gallery, **options):
        rows = GalleryDelivery.objects.all()
        if gallery:
            rows = rows.filter(gallery=gallery)
            if action == "deliver":
                raise CommandError(_("“deliver” delivers to all galleries. Leave out --gallery."))
        if action == "deliver":
            requested = backfill.request_published()
            self.stdout.write(
                ngettext("%d delivery requested.", "%d deliveries requested.", requested)
                % requested
            )
        elif action == "retry":
            decisions.retry_failed(rows)
        elif action == "take-back":
            outbox.take_back(rows.order_by().values_list("pk", flat=True))
        if action != "status":
            galleries.deliver_due()
        self.report(rows)

    def report(self, rows):
        counts = rows.order_by("gallery", "state").values_list("gallery", "state")
        for key, state, number in counts.annotate(Count("pk")):
            self.stdout.write(f"{key}: {number} {GalleryState(state).label}")
        problems = rows.exclude(problem="").order_by("-id")
        for row in problems[:MOST]:
            self.stdout.write(f"{row}: {row.problem}")
        if (more := problems.count() - MOST) > 0:
            self.stdout.write(ngettext("%d more problem", "%d more problems", more) % more)
        if not counts:
            self.stdout.write(_("Nothing was delivered, and nothing is waiting."))
