"""``manage.py nb_prune``: delete files that are no longer needed."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from nb_catalog.operations import pruning


class Command(BaseCommand):
    help = (
        "Delete the files of pictures that were rejected long ago, orphaned files, and placements of "
        "products that no longer exist. Other rows, "
        "pictures that are or were published, and sources of other pictures are kept."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--days", type=int, default=90, help="Minimum age of the rejection in days (90)."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only report what would be deleted."
        )
        parser.add_argument(
            "--no-orphans", action="store_true", help="Keep files that no database row refers to."
        )

    def handle(self, *, days, dry_run, no_orphans, verbosity, **options):
        if days < 1:
            raise CommandError(_("--days must be at least 1, not %d.") % days)
        shows = verbosity and not dry_run and sys.stderr.isatty()
        with tqdm(unit=_("file"), disable=not shows, file=sys.stderr) as bar:

            def report(name):
                bar.update()
                if dry_run or verbosity >= 2:
                    self.stdout.write(name)
                    self.stdout.flush()

            result = pruning.prune(
                days=days, orphans=not no_orphans, dry_run=dry_run, on_delete=report
            )
        if not verbosity:
            return
        pictures = ngettext("%d rejected picture", "%d rejected pictures", result.pictures)
        orphans = ngettext("%d orphaned file", "%d orphaned files", result.orphans)
        message = _("Would delete: %(what)s") if dry_run else _("Deleted: %(what)s")
        placements = ngettext(
            "%d placement of a deleted product",
            "%d placements of deleted products",
            result.placements,
        )
        parts = (
            pictures % result.pictures,
            orphans % result.orphans,
            filesizeformat(result.bytes),
            *([placements % result.placements] if result.placements else []),
        )
        what = ", ".join(parts)
        self.stdout.write(message % {"what": what})
