"""``manage.py nb_stale``: published pictures whose words are out of date."""

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nb_catalog.models import Placement
from nb_catalog.publishing import staleness


class Command(BaseCommand):
    help = (
        "Look at everything that is published with words on it, and mark what the shop would say "
        "differently today. With --redo new pictures are made, which wait for review; it costs nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--redo", action="store_true", help="Make new ones of what is marked.")

    def handle(self, *, redo, verbosity, **options):
        stale = 0
        for block in staleness.scan_placements():
            stale += len(block)
            for each in block if verbosity else ():
                self.stdout.write(f"{each}  {each.locale}  #{each.image_id}")
        said = ngettext(
            "%d published picture is out of date.", "%d published pictures are out of date.", stale
        )
        self.stdout.write(said % stale)
        if not (redo and stale):
            return
        marked = Placement.objects.filter(stale_since__isnull=False)
        for run in staleness.refresh(staleness.products_of(marked), actor=None).runs:
            self.stdout.write(
                _("Started run %(key)s: %(title)s") % {"key": run.pk, "title": run.title}
            )
