"""``manage.py nb_fonts``: the fonts used for the shop's locales."""

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
        "Print the font used for each locale, and what to install if there is none. Exits with "
        "status 1 if a locale has no font."
    )

    def add_arguments(self, parser):
        parser.add_argument("--locale", action="append", help="Only this locale; may be repeated.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")
        parser.add_argument(
            "--specimen", metavar="FILE.png", type=Path, help="Draw a sample line for each locale."
        )

    def handle(self, *, locale, **options):
        codes = locale or settings.LOCALES
        try:
            serving = {code: fonts.family_for(code) for code in codes}
        except (FontUnreadable, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            content = {
                code: font
                and {
                    "family": font.family.name,
                    "origin": font.origin.value,
                    "faces": [{"file": f.name, "sha256": f.sha256} for f in font.family.faces],
                }
                for code, font in serving.items()
            }
            self.stdout.write(json.dumps(content, indent=2, ensure_ascii=False))
        else:
            self.print_table(serving)
        if options["specimen"]:
            self.draw_specimen(serving, options["specimen"])
        if not all(serving.values()):
            raise SystemExit(1)

    def print_table(self, serving):
        rows = [[_("locale"), _("font"), _("weights"), _("source")]]
        for code, font in serving.items():
            if font is None:
                rows.append([code, "-", "-", "-"])
                continue
            lightest, heaviest = font.family.weight_range
            weights = str(lightest) if lightest == heaviest else f"{lightest}-{heaviest}"
            rows.append([code, font.family.name, weights, str(ORIGINS[font.origin])])
        for line in table(rows):
            self.stdout.write(line)
        for code, font in serving.items():
            if font is None:
                self.stdout.write(self.style.ERROR(f"{code}: {fonts.installation_hint(code)}"))

    def draw_specimen(self, serving, file):
        lines = [
            (locales.parse_locale(code).display_name, code, fonts.chain_for(code))
            for code, font in serving.items()
            if font is not None
        ]
        try:
            file.write_bytes(encode(font_specimen(lines), format="png"))
        except OSError as error:
            raise CommandError(
                _("Cannot write the picture: %(why)s.") % {"why": error.strerror}
            ) from error
