"""Locales, the fonts to set their text on pictures, and the providers of texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.conf import NAME, settings
from nb_catalog.core import locales
from nb_catalog.exceptions import FontUnreadable, InvalidSettings
from nb_catalog.providers.alt_text import alt_text_provider
from nb_catalog.providers.comparison import comparison_provider
from nb_catalog.providers.ocr import ocr_provider
from nb_catalog.providers.translation import translation_provider
from nb_catalog.typesetting import fonts


def check_typesetting(**_options: Any) -> list[CheckMessage]:
    """Check that every locale of the shop exists and has a font, and that every font can be opened."""
    try:
        codes, _, chains = settings.LOCALES, settings.FONTS, settings.LOCALE_FALLBACKS
        with_latin_digits = settings.LATIN_DIGITS
    except InvalidSettings:
        return []  # check_settings reports it
    messages: list[CheckMessage] = []
    known = []
    for code in codes:
        try:
            locales.parse_locale(code)
            known.append(code)
            if fonts.family_for(code) is None:
                messages.append(
                    Warning(
                        f"Text in {code!r} cannot be set on pictures: {fonts.installation_hint(code)}",
                        hint=f"Or remove it from {NAME}['LOCALES']; manage.py nb_fonts lists them all.",
                        id="nb_catalog.W042",
                    )
                )
        except ValueError as error:
            hint = f"{NAME}['LOCALES'], or LANGUAGES."
            messages.append(Error(str(error), hint=hint, id="nb_catalog.E040"))
        except FontUnreadable as error:
            return [Error(str(error), hint=f"{NAME}['FONTS'].", id="nb_catalog.E041")]
    messages += [
        Warning(
            f"The font {face.label!r} ({face.name}) in {NAME}['FONTS'] is not used: {reason}",
            hint="manage.py nb_fonts lists what draws each language. Remove it, or what comes before it.",
            id="nb_catalog.W043",
        )
        for face, reason in fonts.unused_faces(known)
    ]
    named = {
        "LOCALE_FALLBACKS": [code for first, chain in chains.items() for code in (first, *chain)],
        "LATIN_DIGITS": with_latin_digits,
    }
    for setting, setting_codes in named.items():
        for code in dict.fromkeys(setting_codes):
            try:
                locales.parse_locale(code)
            except ValueError as error:
                hint = f"{NAME}['{setting}']."
                messages.append(Error(str(error), hint=hint, id="nb_catalog.E040"))
    return messages


def check_translation_provider(**_options: Any) -> list[CheckMessage]:
    """Check that the translation provider can be imported and knows its options."""
    return _check_text_provider("TRANSLATION_PROVIDER", translation_provider, id="nb_catalog.E043")


def check_alt_text_provider(**_options: Any) -> list[CheckMessage]:
    """Check that the provider of alternative texts can be imported and knows its options."""
    return _check_text_provider("ALT_TEXT_PROVIDER", alt_text_provider, id="nb_catalog.E044")


def check_ocr_provider(**_options: Any) -> list[CheckMessage]:
    """Check that the OCR provider can be imported and knows its options."""
    return _check_text_provider("OCR_PROVIDER", ocr_provider, id="nb_catalog.E045")


def check_comparison_provider(**_options: Any) -> list[CheckMessage]:
    """Check that the provider of comparisons can be imported and knows its options."""
    return _check_text_provider("COMPARISON_PROVIDER", comparison_provider, id="nb_catalog.E052")


def _check_text_provider(
    setting: str, make: Callable[[], object], *, id: str
) -> list[CheckMessage]:
    try:
        getattr(settings, setting)
    except InvalidSettings:
        return []  # check_settings reports it
    try:
        make()
    except InvalidSettings as error:
        return [Error(str(error), hint="Set it to None to disable proposals.", id=id)]
    return []
