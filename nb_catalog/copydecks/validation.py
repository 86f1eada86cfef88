"""The one way in for typed texts: what the form, the API, files and translations may write into a deck."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from django.utils.translation import gettext as _

from nb_catalog.copydecks import placeholders, text_checks
from nb_catalog.copydecks.types import Cell
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.text import character_name, place_in, unwritable
from nb_catalog.exceptions import FontUnreadable
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.clusters import is_emoji
from nb_catalog.typesetting.layouts import role_name

# Braces of placeholders, which are never drawn, and doubled ones.
_BRACES: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}")


def clean_text(text: str) -> str:
    """Return ``text`` as it is stored: with plain line breaks, and no white space around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def text_problems(text: str, *, locale: str) -> list[str]:
    """Return why ``text``, cleaned, cannot be a deck's text in ``locale``, each with its place; none if it
    can, or is empty."""
    problems = unwritable(text)
    if len(text) > LONGEST_TEXT:
        length = _("%(length)s characters; at most %(most)s are possible.")
        problems.append(length % {"length": len(text), "most": LONGEST_TEXT})
    try:
        placeholders.parts(text)
    except ValueError as error:
        problems.append(str(error))
    problems += text_checks.accidents(text)
    # A broken text is not also one without glyphs.
    return problems or _undrawable(text, locale=locale)


def cell_problems(texts: Mapping[Cell, str]) -> list[str]:
    """Return every objection to ``texts``, cleaned, with their locales and roles."""
    problems: list[str] = []
    for (locale, role), text in texts.items():
        where = f"{locale} {role}"
        try:
            parse_locale(locale)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        try:
            role_name(role)
        except ValueError:
            message = _(
                "a role has lowercase letters, digits and “_”, such as “headline”; this one is %(role)r."
            )
            problems.append(f"{where}: {message % {'role': role}}")
            continue
        problems += [f"{where}: {each}" for each in text_problems(text, locale=locale)]
    return problems


def _undrawable(text: str, *, locale: str) -> list[str]:
    """Return what no font draws, with its place; nothing while ``locale`` has no font at all, which the
    system check reports."""
    literal = _BRACES.sub(lambda match: " " * len(match.group()), text)
    # Both are reported elsewhere: by the system check, and by who asks for the locale.
    with suppress(FontUnreadable, ValueError):
        missing = fonts.chain_for(locale).missing_places(literal)
        if missing and fonts.family_for(locale) is not None:
            for_emoji = _(
                "no font draws %(character)s. Remove it, or add a font for emoji in colour to "
                "NB_CATALOG['FONTS']."
            )
            for_others = _(
                "no font draws %(character)s. Remove it, or add a font that has it to "
                "NB_CATALOG['FONTS']."
            )
            problems = []
            for index, cluster in missing:
                what = f"“{cluster}” ({', '.join(map(character_name, cluster))})"
                problem = (for_emoji if is_emoji(cluster) else for_others) % {"character": what}
                problems.append(f"{place_in(text, index)}: {problem}")
            return problems
    return []
