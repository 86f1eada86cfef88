"""``manage.py nb_uninstall``: report what the app has left behind, or delete it."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.models import GalleryDelivery
from nb_catalog.operations import uninstall
from nb_catalog.storage import ROOT

WORD = "delete"


class Command(BaseCommand):
    help = (
        "Report the tables, rows and files that nb_catalog has in this project. With --delete, delete "
        "them: pictures, their history and what they cost are lost."
    )

    def add_arguments(self, parser):
        parser.add_argument("--delete", action="store_true", help="Delete what is reported.")
        parser.add_argument("--yes", action="store_true", help="Delete without asking.")
        parser.add_argument(
            "--keep-files", action="store_true",
            help="Keep the files of pictures, which published pages may still show.",
        )  # fmt: skip
        parser.add_argument("--database", default="default", help="Alias of the tables' database.")

    def handle(self, *, delete, yes, keep_files, database, verbosity, **options):
        traces = uninstall.find_traces(database=database, files=not keep_files)
        self.report(traces, keep_files=keep_files)
        if not traces:
            return
        if delivered := traces.tables.get(GalleryDelivery._meta.db_table, 0):
            self.stdout.write(
                _(
                    "Delivered to the shop's own models: %d. These pictures stay, and what they have "
                    "replaced is not restored. To take them back first: manage.py nb_galleries take-back"
                )
                % delivered
            )
        if not delete:
            self.stdout.write(_("Nothing was deleted. Add --delete to delete all of it."))
            return
        reasons = list(uninstall.obstacles(database=database))
        if reasons:
            raise CommandError("\n".join(reasons))
        if not (yes or self.confirms()):
            raise CommandError(_("Nothing was deleted."))
        uninstall.uninstall(
            database=database,
            files=not keep_files,
            on_delete=self.stdout.write if verbosity >= 2 else lambda name: None,
        )
        self.stdout.write(
            _(
                "Deleted. Now remove nb_catalog from INSTALLED_APPS, your URLs, templates, admin.py and "
                "requirements, the files catalog_images.py, and the setting NB_CATALOG."
            )
        )

    def report(self, traces, *, keep_files):
        if not traces:
            self.stdout.write(_("Nothing is left of nb_catalog."))
            return
        for table, rows in traces.tables.items():
            self.stdout.write(_("table %(table)s: %(rows)d rows") % {"table": table, "rows": rows})
        lines = (
            (_("%d rows in django_migrations"), traces.migrations),
            (_("%d content types"), traces.content_types),
            (_("%d permissions"), traces.permissions),
            (_("%d entries in the log of the admin"), traces.log_entries),
        )
        for text, number in lines:
            if number:
                self.stdout.write(text % number)
        if not keep_files:
            self.stdout.write(
                _("%(count)d files below %(folder)s/ in the storage %(alias)r")
                % {"count": traces.files, "folder": ROOT, "alias": settings.STORAGE}
            )
        self.stdout.write(
            _("Kept, because other projects may use it: the directory %s") % settings.STAGING_DIR
        )

    def confirms(self):
        """Ask once; without a terminal that answers, that is a no."""
        try:
            return input(_("Type “%s” to delete all of this: ") % WORD).strip() == WORD
        except EOFError:
            return False
