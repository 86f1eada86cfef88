"""Fonts and locales, whether the words of each can be set on a picture; and whoever is asked for words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.conf import NAME, settings
from nb_catalog.core import locales
from nb_catalog.exceptions import FontUnreadable, InvalidSettings
from nb_catalog.providers.alt_text import alt_text_provider
from nb_catalog.providers.ocr import ocr_provider
from nb_catalog.providers.translation import translation_provider
from nb_catalog.typesetting import fonts


def check_typesetting(**_options: Any) -> list[CheckMessage]:
    """Every locale of the shop exists and has a font; every font of the shop opens."""
    try:
        codes, _, chains = settings.LOCALES, settings.FONTS, settings.LOCALE_FALLBACKS
    except InvalidSettings:
        return []  # check_settings says so, once
    found: list[CheckMessage] = []
    for code in codes:
        try:
            locales.parse_locale(code)
            if fonts.family_for(code) is None:
                found.append(_without_font(code))
        except ValueError as error:
            found.append(
                Error(str(error), hint=f"{NAME}['LOCALES'], or LANGUAGES.", id="nb_catalog.E040")
            )
        except FontUnreadable as error:
            return [Error(str(error), hint=f"{NAME}['FONTS'].", id="nb_catalog.E041")]
    return found + [
        Error(str(error), hint=f"{NAME}['LOCALE_FALLBACKS'].", id="nb_catalog.E040")
        for error in _unknown(code for first, chain in chains.items() for code in (first, *chain))
    ]


def check_translation_provider(**_options: Any) -> list[CheckMessage]:
    """The translator imports, and has the options that it was given."""
    return _check_text_provider("TRANSLATION_PROVIDER", translation_provider, id="nb_catalog.E043")


def check_alt_text_provider(**_options: Any) -> list[CheckMessage]:
    """The describer imports, and has the options that it was given."""
    return _check_text_provider("ALT_TEXT_PROVIDER", alt_text_provider, id="nb_catalog.E044")


def check_ocr_provider(**_options: Any) -> list[CheckMessage]:
    """The reader imports, and has the options that it was given."""
    return _check_text_provider("OCR_PROVIDER", ocr_provider, id="nb_catalog.E045")


def _check_text_provider(
    setting: str, make: Callable[[], object], *, id: str
) -> list[CheckMessage]:
    try:
        getattr(settings, setting)
    except InvalidSettings:
        return []  # check_settings says so, once
    try:
        make()
    except InvalidSettings as error:
        return [Error(str(error), hint="Or None, to have nothing proposed.", id=id)]
    return []


def _unknown(codes: Iterable[str]) -> Iterator[ValueError]:
    for code in dict.fromkeys(codes):
        try:
            locales.parse_locale(code)
        except ValueError as error:
            yield error


def _without_font(code: str) -> CheckMessage:
    return Warning(
        f"Words in {code!r} cannot be set on pictures: {fonts.installation_hint(code)}",
        hint=f"Or leave it out of {NAME}['LOCALES']; manage.py nb_fonts lists them all.",
        id="nb_catalog.W042",
    )
