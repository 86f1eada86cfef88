"""``manage.py nb_stale``: find published pictures whose text is out of date."""

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nb_catalog.models import Placement
from nb_catalog.publishing import staleness


class Command(BaseCommand):
    help = (
        "Check all published pictures with text, and mark those whose text differs from the shop's "
        "current text. With --redo, new pictures are generated for review, free of charge."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--redo", action="store_true", help="Generate new versions of the marked pictures."
        )

    def handle(self, *, redo, verbosity, **options):
        stale = 0
        for block in staleness.scan_placements():
            stale += len(block)
            for each in block if verbosity else ():
                self.stdout.write(f"{each}  {each.locale}  #{each.image_id}")
            self.stdout.flush()
        message = ngettext(
            "%d published picture is out of date.", "%d published pictures are out of date.", stale
        )
        self.stdout.write(message % stale)
        if not (redo and stale):
            return
        marked = Placement.objects.filter(stale_since__isnull=False)
        for run in staleness.refresh(staleness.products_of(marked), actor=None).runs:
            self.stdout.write(
                _("Started run %(key)s: %(title)s") % {"key": run.pk, "title": run.title}
            )
