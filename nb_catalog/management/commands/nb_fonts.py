"""``manage.py nb_fonts``: which font serves which of the shop's locales."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.exceptions import FontUnreadable
from nb_catalog.imaging.encode import encode
from nb_catalog.management.output import table
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.previews import font_specimen

ORIGINS = {
    fonts.Origin.SHOP: "NB_CATALOG['FONTS']",
    fonts.Origin.PACKAGE: gettext_lazy("an installed package"),
    fonts.Origin.SYSTEM: gettext_lazy("this system"),
}


class Command(BaseCommand):
    help = (
        "Print which font the words of each locale are set in, and what to install where there is "
        "none. Exit status 1 when a locale has none."
    )

    def add_arguments(self, parser):
        parser.add_argument("--locale", action="append", help="This one; may be given again.")
        parser.add_argument("--json", action="store_true", help="For programs.")
        parser.add_argument(
            "--specimen", metavar="FILE.png", type=Path, help="Draw a line in each locale."
        )

    def handle(self, *, locale, **options):
        codes = locale or settings.LOCALES
        try:
            serving = {code: fonts.family_for(code) for code in codes}
        except (FontUnreadable, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = {code: _as_json(found) for code, found in serving.items()}
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            self._list(serving)
        if options["specimen"]:
            self._draw(serving, options["specimen"])
        if not all(serving.values()):
            raise SystemExit(1)

    def _list(self, serving):
        head = [_("locale"), _("font"), _("weights"), _("source")]
        for line in table([head, *(_row(code, found) for code, found in serving.items())]):
            self.stdout.write(line)
        for code, found in serving.items():
            if found is None:
                self.stdout.write(self.style.ERROR(f"{code}: {fonts.installation_hint(code)}"))

    def _draw(self, serving, file):
        lines = [
            (locales.parse_locale(code).display_name, code, fonts.chain_for(code))
            for code, found in serving.items()
            if found is not None
        ]
        try:
            file.write_bytes(encode(font_specimen(lines), format="png"))
        except OSError as error:
            raise CommandError(
                _("Cannot write the picture: %(why)s.") % {"why": error.strerror}
            ) from error


def _row(code, found):
    if found is None:
        return [code, "-", "-", "-"]
    lightest, heaviest = found.family.weight_range
    weights = str(lightest) if lightest == heaviest else f"{lightest}-{heaviest}"
    return [code, found.family.name, weights, str(ORIGINS[found.origin])]


def _as_json(found):
    if found is None:
        return None
    faces = [{"file": face.name, "sha256": face.sha256} for face in found.family.faces]
    return {"family": found.family.name, "origin": found.origin.value, "faces": faces}
