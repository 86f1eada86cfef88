"""``manage.py nb_export``: write approved or published pictures into a ZIP."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from nb_catalog import export
from nb_catalog.core.channels import channels
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.export.types import DEFAULT_PATTERN, FORMATS
from nb_catalog.management.arguments import product_of
from nb_catalog.models.generic import own_key
from nb_catalog.registry import source_for

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Write published pictures, or the approved pictures that are named, into a ZIP with a manifest, and "
        "check them by the rules of sales channels."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "file", type=Path, help="The ZIP to write. A file of this name is replaced."
        )
        parser.add_argument(
            "--image", type=int, action="append", default=[], metavar="ID",
            help="This picture, published or not; can be repeated. Without it, what is published.",
        )  # fmt: skip
        parser.add_argument(
            "--product", action="append", default=[], metavar="MODEL[:KEY]",
            help="Only this model or product, such as shop.product or shop.product:12; can be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--slot", action="append", default=[], help="Only this slot; can be repeated."
        )
        parser.add_argument(
            "--locale", action="append", default=[],
            help="Only this language, '' for pictures of all languages; can be repeated.",
        )  # fmt: skip
        parser.add_argument("--run", type=int, metavar="ID", help="Only pictures of this run.")
        parser.add_argument(
            "--series", default="", metavar="KEY", help="Only pictures of this series."
        )
        parser.add_argument(
            "--pattern", default=DEFAULT_PATTERN,
            help="The names of the files; by default %(default)s. “/” makes folders.",
        )  # fmt: skip
        parser.add_argument("--format", default=FORMATS[0], help=f"One of {', '.join(FORMATS)}.")
        parser.add_argument(
            "--longest-side", type=int, metavar="PIXELS",
            help="Scale larger pictures down to it. None is enlarged.",
        )  # fmt: skip
        parser.add_argument(
            "--channel", action="append", default=[],
            help=f"Check the rules of this sales channel: {', '.join(channels())}; can be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--number", action="store_true", help="Number files that would have the same name."
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Make and check the files, and write nothing."
        )

    def handle(self, *, file, dry_run, verbosity, **options):
        try:
            plan = export.plan_export(
                self.pictures(options),
                export.ExportOptions(
                    pattern=options["pattern"],
                    format=options["format"],
                    longest_side=options["longest_side"],
                    channels=tuple(dict.fromkeys(options["channel"])),
                    number=options["number"],
                ),
            )
            shows = verbosity and sys.stderr.isatty()
            with tqdm(
                total=len(plan.files), unit=_("picture"), disable=not shows, file=sys.stderr
            ) as bar:
                report = self.check(plan, bar) if dry_run else self.write(plan, file, bar)
        except NBCatalogError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(error)s.") % {"file": file, "error": error}
            ) from error
        if verbosity:
            self.report(report, file=None if dry_run else file)

    def pictures(self, options):
        if options["image"]:
            of_published = ("product", "slot", "locale", "series")
            if any(options[name] for name in of_published) or options["run"] is not None:
                raise CommandError(
                    _(
                        "--image names the pictures: leave the options out that choose published ones."
                    )
                )
            return export.chosen(options["image"])
        models, keys = [], []
        for text in options["product"]:
            if ":" in text:
                keys.append(own_key(product_of(text)))
            else:
                models.append(source_for(text).model)
        return export.published(
            models=models or None,
            keys=keys or None,
            slots=options["slot"],
            locales=options["locale"],
            run=options["run"],
            series=options["series"],
        )

    def write(self, plan, file, bar):
        """Write the ZIP beside its place first: a process that is killed leaves no half of one there."""
        unfinished = file.with_name(f"{file.name}.part")
        try:
            with unfinished.open("wb") as target:
                report = export.write_archive(plan, target, progress=bar.update)
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
        return report

    def check(self, plan, bar):
        report = export.ExportReport(failing=dict.fromkeys(plan.options.channels, 0))
        for each in export.checked_files(plan):
            report.add(each)
            bar.update()
            if isinstance(each, export.CheckedFile):
                for finding in each.findings:
                    bar.write(f"{each.name}: {finding.channel}: {finding}", file=self.stdout)
        return report

    def report(self, report, *, file):
        count = report.written
        self.stdout.write(
            ngettext("%(count)d picture", "%(count)d pictures", count) % {"count": count}
            + (f": {file}" if file is not None else "")
        )
        if report.smaller:
            self.stdout.write(
                ngettext(
                    "%d picture is smaller than the longest side, and was not enlarged.",
                    "%d pictures are smaller than the longest side, and were not enlarged.",
                    report.smaller,
                )
                % report.smaller
            )
        for key, failing in report.failing.items():
            self.stdout.write(
                _("%(channel)s: %(failing)s of %(count)s pictures fail.")
                % {"channel": key, "failing": failing, "count": count}
            )
        for each in report.left_out[:SHOWN]:
            self.stderr.write(
                _("Left out: picture %(image)s (%(name)s). %(reason)s")
                % {"image": each.image, "name": each.name, "reason": each.reason}
            )
        if len(report.left_out) > SHOWN:
            self.stderr.write(_("… and %d more.") % (len(report.left_out) - SHOWN))
