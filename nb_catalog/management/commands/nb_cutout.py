"""``manage.py nb_cutout``: what can be cut out here, and the networks for it."""

import json
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from nb_catalog import cutouts
from nb_catalog.conf import setting_path, settings
from nb_catalog.core.iteration import blocks
from nb_catalog.exceptions import DownloadFailed, InvalidSettings, NotRegistered
from nb_catalog.imaging.cutout.backends import NetworkCutout, backend_for
from nb_catalog.imaging.cutout.network import INSTALL
from nb_catalog.imaging.cutout.weights import WEIGHTS
from nb_catalog.management.output import table
from nb_catalog.providers.downloads import download
from nb_catalog.registry import registered, source_for

BLOCK = 100
BACKEND = f"{NetworkCutout.__module__.rpartition('.')[0]}.backends.{NetworkCutout.__name__}"


class Command(BaseCommand):
    help = "Say which products can be cut out of their photos here, and install networks for it."

    def add_arguments(self, parser):
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        actions.add_parser(
            "status", help="Print what can be cut out here, and which networks there are."
        )
        install = actions.add_parser("install", help="Download the weights of a network.")
        install.add_argument("name", choices=sorted(WEIGHTS))
        install.add_argument(
            "--to", metavar="DIR", type=Path, default=Path("weights"),
            help="Directory of the file; by default weights/ in the current one.",
        )  # fmt: skip
        install.add_argument(
            "--from", metavar="URL", dest="mirror",
            help="Address of the file on a server of your own; one that ends in / is a directory.",
        )  # fmt: skip
        install.add_argument(
            "--sha256", default="",
            help="The checksum of another file of this network, 64 hexadecimal digits.",
        )  # fmt: skip
        install.add_argument("--yes", action="store_true", help="Do not ask.")
        make = actions.add_parser(
            "make", help="Cut out the first photo of every registered product that has not been."
        )
        make.add_argument(
            "models",
            nargs="*",
            metavar="MODEL",
            help="Models such as shop.product; by default all.",
        )
        make.add_argument(
            "--again", action="store_true",
            help="Also those that have been, after a change of the backend. Masks that people made stay.",
        )  # fmt: skip

    def handle(self, *, action, **options):
        actions = {"status": self.print_status, "install": self.install, "make": self.make}
        actions[action](**options)

    def print_status(self, **_options):
        entry = settings.CUTOUT
        self.stdout.write(f"{setting_path('CUTOUT')}: {entry['BACKEND']}")
        try:
            backend = backend_for()
            problems = backend.check()
        except InvalidSettings as error:
            raise CommandError(str(error)) from error
        if not problems:
            self.stdout.write(self.style.SUCCESS(backend.describe()))
        for problem in problems:
            self.stdout.write(self.style.ERROR(f"{problem.msg}\n{problem.hint}"))
        if not find_spec("onnxruntime"):
            self.stdout.write(
                _("Networks need the package onnxruntime: %(install)s") % {"install": INSTALL}
            )
        rows = [[_("network"), _("MB"), _("licence")]]
        rows += [[each.name, str(each.megabytes), each.licence] for each in WEIGHTS.values()]
        for line in ("", *table(rows, right=[1])):
            self.stdout.write(line)
        if problems:
            raise SystemExit(1)

    def install(self, *, name, to, mirror, sha256, yes, **_options):
        weights = WEIGHTS[name]
        checksum = (sha256 or weights.sha256).lower()
        if len(checksum) != 64 or set(checksum) - set("0123456789abcdef"):
            raise CommandError(
                _(
                    "State the checksum of the file that you trust: --sha256, 64 hexadecimal digits. A file "
                    "with another one is not installed."
                )
            )
        url = mirror or weights.url
        if url.endswith("/"):
            url += weights.file_name
        target = (to / (urlsplit(url).path.rpartition("/")[2] or weights.file_name)).resolve()
        for label, value in (
            (_("address"), url),
            (_("licence"), weights.licence),
            (_("size"), _("about %(size)s MB") % {"size": weights.megabytes}),
            ("sha256", checksum),
            (_("file"), target),
        ):
            self.stdout.write(f"{label}: {value}")
        if not yes and input(_("Download it? [y/N] ")).strip().lower() not in {
            "y",
            "yes",
            _("yes"),
        }:
            raise CommandError(_("Nothing was downloaded."))
        try:
            with tqdm(unit="B", unit_scale=True, disable=None, file=self.stderr) as bar:

                def advance(count, total):
                    bar.total = total or None
                    bar.update(count)

                download(url, target=target, sha256=checksum, on_progress=advance)
        except (DownloadFailed, OSError) as error:
            raise CommandError(str(error)) from error
        options = {"path": str(target), "sha256": checksum}
        for problem in NetworkCutout(**options).check():
            self.stdout.write(self.style.WARNING(problem.msg))
        self.stdout.write(self.style.SUCCESS(_("Installed. Add to NB_CATALOG:")))
        self.stdout.write(
            f'"CUTOUT": {json.dumps({"BACKEND": BACKEND, "OPTIONS": options}, indent=4)},'
        )

    def make(self, *, models, again, verbosity, **_options):
        try:
            sources = [source_for(label) for label in models] or list(registered().values())
        except NotRegistered as error:
            raise CommandError(str(error)) from error
        counts = Counter()
        with tqdm(unit=_("photo"), disable=None, file=sys.stderr) as bar:

            def count(cutout):
                bar.update()
                counts[cutout.state] += 1

            cutouts.make_cutouts(on_made=count)
            for source in sources:
                rows = source.queryset().order_by("pk").iterator(chunk_size=BLOCK)
                for products in blocks(rows, size=BLOCK):
                    photos = [
                        (each, found[0]) for each in products if (found := source.photos(each))
                    ]
                    cutouts.request_cutouts(photos)
                    if again:
                        cutouts.request_cutouts(photos, again=True)
                    cutouts.make_cutouts(on_made=count)
        if verbosity:
            for state, number in sorted(counts.items()):
                self.stdout.write(f"{state.label}: {number}")
            if not counts:
                self.stdout.write(_("Nothing to cut out."))
