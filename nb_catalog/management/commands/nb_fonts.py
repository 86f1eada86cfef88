"""``manage.py nb_fonts``: the fonts used for the shop's locales."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.core.text import shorten
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
        "Print the faces that draw the text of each locale, which of the shop's own fonts are not used "
        "and why, and what to install if there is none. Exits with status 1 if a locale has no font."
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
            used = {code: fonts.used_faces(code) for code in codes if serving[code]}
            unused = fonts.unused_faces(codes)
        except (FontUnreadable, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            content = {code: used.get(code) and as_json(used[code], unused) for code in codes}
            self.stdout.write(json.dumps(content, indent=2, ensure_ascii=False))
        else:
            self.print_table(codes, used, unused)
        if options["specimen"]:
            self.draw_specimen(serving, options["specimen"])
        if not all(serving.values()):
            raise SystemExit(1)

    def print_table(self, codes, used, unused):
        rows = [[_("locale"), _("font"), _("weights"), _("draws"), _("source")]]
        for code in codes:
            faces = used.get(code, [])
            for number, each in enumerate(faces):
                lightest, heaviest = each.face.weight_range
                weights = str(lightest) if lightest == heaviest else f"{lightest}-{heaviest}"
                # The first one draws the alphabet; of the others, what it lacks.
                draws = shorten(" ".join(each.characters), 30) if number else _("text")
                source = str(ORIGINS[each.origin])
                rows.append([code, each.face.label, weights, draws, source])
            if not faces:
                rows.append([code, *"----"])
        for line in table(rows):
            self.stdout.write(line)
        for code in codes:
            if code not in used:
                self.stdout.write(self.style.ERROR(f"{code}: {fonts.installation_hint(code)}"))
        for face, reason in unused:
            message = _("Not used: %(font)s (%(file)s): %(reason)s")
            self.stdout.write(
                self.style.WARNING(
                    message % {"font": face.label, "file": face.name, "reason": reason}
                )
            )

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


def as_json(faces, unused):
    """Return plain data of the faces that draw a locale's text, and of those that do not."""
    return {
        "family": faces[0].face.family,
        "origin": faces[0].origin.value,
        "faces": [
            {
                "file": each.face.name,
                "family": each.face.family,
                "style": each.face.style,
                "weight": each.weight,
                "origin": each.origin.value,
                "sha256": each.face.sha256,
                "characters": each.characters,
            }
            for each in faces
        ],
        "unused": [
            {"file": face.name, "family": face.family, "style": face.style, "reason": reason}
            for face, reason in unused
        ],
    }
