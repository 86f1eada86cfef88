"""``manage.py nb_prune``: take away files that nobody needs any more."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from nb_catalog.operations import pruning


class Command(BaseCommand):
    help = (
        "Take away the files of pictures that were rejected long ago, and files that no row knows. "
        "What is or was published, and what something else was made from, stays; rows stay too."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--days", type=int, default=90, help="Rejected more than so many days ago (90)."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say what would go.")
        parser.add_argument(
            "--no-orphans", action="store_true", help="Leave files alone that no row knows."
        )

    def handle(self, *, days, dry_run, no_orphans, verbosity, **options):
        if days < 1:
            raise CommandError(_("--days must be at least 1, not %d.") % days)
        shows = verbosity and not dry_run and sys.stderr.isatty()
        with tqdm(unit=_("file"), disable=not shows, file=sys.stderr) as bar:

            def told(name):
                bar.update()
                if dry_run or verbosity >= 2:
                    self.stdout.write(name)

            done = pruning.prune(days=days, orphans=not no_orphans, dry_run=dry_run, on_delete=told)
        if not verbosity:
            return
        pictures = ngettext("%d rejected picture", "%d rejected pictures", done.pictures)
        orphans = ngettext("%d orphaned file", "%d orphaned files", done.orphans)
        said = _("Would delete: %(what)s") if dry_run else _("Deleted: %(what)s")
        what = f"{pictures % done.pictures}, {orphans % done.orphans}, {filesizeformat(done.bytes)}"
        self.stdout.write(said % {"what": what})
