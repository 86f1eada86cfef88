"""``manage.py nb_rollback``: show again what was there before a run, a publication or a moment."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from nb_catalog.exceptions import NBCatalogError
from nb_catalog.management.arguments import product_of
from nb_catalog.management.output import table
from nb_catalog.models import Publication, Run, Series
from nb_catalog.models.generic import object_key
from nb_catalog.operations.search import found_keys
from nb_catalog.publishing import renditions, rollbacks
from nb_catalog.storefront.moments import parse_moment

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Roll back what is published: all changes of a run, of a publication, of the last publication of a "
        "series, or all since a moment. Shows what will change, and asks."
    )

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--run", type=int, metavar="ID", help="All changes to pictures of this run."
        )
        what.add_argument("--series", metavar="KEY", help="The last publication of this series.")
        what.add_argument("--publication", type=int, metavar="ID", help="This publication.")
        what.add_argument(
            "--at",
            metavar="TIME",
            help="To this moment, such as 2026-11-29T14:00 (TIME_ZONE), or with an offset.",
        )
        products = parser.add_mutually_exclusive_group()
        products.add_argument(
            "--product", action="append", default=[], metavar="MODEL:KEY",
            help="Only this product, such as shop.product:12; can be repeated.",
        )  # fmt: skip
        products.add_argument(
            "--search", metavar="WORDS",
            help="Only products that a search finds, such as the name of a category.",
        )  # fmt: skip
        parser.add_argument(
            "--slot", action="append", default=[], help="Only this slot; can be repeated."
        )
        parser.add_argument(
            "--partial",
            action="store_true",
            help="Leave places as they are that somebody has changed since, or that cannot be restored.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only show what would change.")
        parser.add_argument("--no-input", action="store_true", help="Do not ask.")

    def handle(self, *, dry_run, no_input, partial, verbosity, **options):
        try:
            scope = self.scope(options)
            preview = rollbacks.preview(scope)
            self.show(preview)
            objections = list(preview.objections())
            if dry_run or (not preview.restored and not objections):
                return
            if objections and not partial:
                raise CommandError(
                    _("Nothing was changed. With --partial, these places stay as they are.")
                )
            if not no_input:
                question = _("Roll back? [y/N] ")
                if input(question).strip().lower() not in ("y", "yes", _("yes")):
                    raise CommandError(_("Nothing was changed."))
            self.make_renditions(preview, verbosity=verbosity)
            record = rollbacks.roll_back_all(scope, actor=None, partial=partial)
        except NBCatalogError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            number = record.events.count()
            message = ngettext("%d place rolled back.", "%d places rolled back.", number) % number
            undo = _("To undo this: nb_rollback --publication %(pk)s") % {"pk": record.pk}
            self.stdout.write(f"{message} {undo}")

    def scope(self, options):
        keys = [_key_of(each) for each in options["product"]] or None
        if options["search"] is not None:
            keys = found_keys(options["search"])
        return rollbacks.scope_of(
            publication=_row(Publication, options["publication"], option="--publication"),
            run=_row(Run, options["run"], option="--run"),
            series=_row(Series, options["series"], option="--series", field="key"),
            moment=None if options["at"] is None else parse_moment(options["at"]),
            keys=keys,
            slots=options["slot"] or None,
        )

    def show(self, preview):
        number = len(preview.restored)
        self.stdout.write(f"{preview.scope.name}:")
        rows = [
            [each.key[1], each.key[2], each.key[3] or _("all"), str(each.key[4] + 1),
             str(each.now or "—"), str(each.before.pk if each.before else "—")]
            for each in preview.restored[:SHOWN]
        ]  # fmt: skip
        if rows:
            head = [_("product"), _("slot"), _("language"), _("position"), _("now"), _("then")]
            for line in table([head, *rows], right=(3, 4, 5)):
                self.stdout.write(line)
        if number > SHOWN:
            self.stdout.write(_("… and %d more.") % (number - SHOWN))
        self.stdout.write(ngettext("%d place changes.", "%d places change.", number) % number)
        for objection in preview.objections():
            self.stdout.write(objection)

    def make_renditions(self, preview, *, verbosity):
        """Make missing files of the pictures that come back, with a bar: usually none is missing."""
        images = {each.before.pk: each.before for each in preview.restored if each.before}
        missing = renditions.without_files(list(images.values()))
        shows = verbosity and missing and sys.stderr.isatty()
        with tqdm(missing, unit=_("picture"), disable=not shows, file=sys.stderr) as bar:
            for image in bar:
                renditions.make_renditions(image)


def _row(model, value, *, option, field="pk"):
    if value is None:
        return None
    row = model.objects.filter(**{field: value}).first()
    if row is None:
        raise CommandError(
            _("%(option)s %(value)s: there is none.") % {"option": option, "value": value}
        )
    return row


def _key_of(text):
    if not text.partition(":")[2]:
        raise CommandError(
            _("--product %r: expected model and key, such as shop.product:12.") % text
        )
    return object_key(product_of(text))
