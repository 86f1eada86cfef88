"""Which values, roles and locales the shop has: what texts are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from django.utils.translation import gettext

from nb_catalog.conf import settings
from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.types import Cell
from nb_catalog.core import locales
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyDeck, TextLayout
from nb_catalog.registry import registered, source_for

# Products of each model whose values are read: not every product has every value.
_SAMPLED: Final = 5
# Suggestions take a comparison with every known name.
_MOST_SUGGESTIONS: Final = 50


class PlaceholderExamples(NamedTuple):
    """Placeholders for the values of a model's products, with examples from one product."""

    name: str
    examples: Sequence[tuple[str, str]]


def placeholder_examples(locale: str = "") -> Iterator[PlaceholderExamples]:
    """Yield the placeholders of each registered model that has a product, as ``locale`` writes them."""
    locale = locale or settings.LOCALES[0]
    for model in registered():
        source = source_for(model)
        values: dict[str, object] = {}
        for product in source.queryset()[:_SAMPLED]:
            for name, value in source.values(product, locale).items():
                if values.get(name) in (None, ""):
                    values[name] = value
        if values:
            examples = [
                (f"{{{name}}}", "" if value is None else locales.format_value(value, locale))
                for name, value in values.items()
            ]
            yield PlaceholderExamples(str(model._meta.verbose_name), examples)


def unknown_value_warnings(texts: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each placeholder in ``texts`` without a product value.

    Not an error: there may be no product yet. Texts that are not valid are left out.
    """
    names: dict[str, None] = {}
    for text in texts:
        try:
            names |= dict.fromkeys(placeholders.names(text))
        except ValueError:
            continue
    if not names:
        return
    known = {name[1:-1] for each in placeholder_examples() for name, _example in each.examples}
    for name in names if known else ():
        if name not in known:
            message = gettext("No product has the value %s.") % f"{{{name}}}"
            yield f"{message}{nearest(name, known)}"


def layout_roles() -> tuple[str, ...]:
    """Return the roles that layouts have a box for."""
    roles: dict[str, None] = {}
    for row in TextLayout.objects.all():
        try:
            roles |= dict.fromkeys(row.layout.roles)
        except ValueError:
            continue  # its own page reports the error
    return tuple(roles)


def unknown_role_warnings(deck: CopyDeck, roles: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each of ``roles`` that neither a layout nor the deck has.

    Not an error: its layout may be made later.
    """
    wanted = dict.fromkeys(roles)
    known = {*layout_roles(), *deck.texts.values_list("role", flat=True)} if wanted else set()
    unknown = [role for role in wanted if role not in known] if known else []
    for number, role in enumerate(unknown):
        hint = nearest(role, known) if number < _MOST_SUGGESTIONS else ""
        yield gettext("No layout has a box for “%s”.") % role + hint


def deck_locales(deck: CopyDeck) -> list[str]:
    """Return the deck's own locale, those of the shop, and others in which it has texts."""
    used = deck.texts.order_by("locale").values_list("locale", flat=True).distinct()
    return list(dict.fromkeys((deck.locale, *settings.LOCALES, *used)))


def cells_of(deck: CopyDeck, texts: Mapping[Cell, str]) -> dict[Cell, str]:
    """Return ``texts`` with the locales of ``deck`` and the shop for however a program spells them.

    Raises ``DeckRefused`` with every objection at once.
    """
    known, objections = deck_locales(deck), []
    cells: dict[Cell, str] = {}
    for (code, role), text in texts.items():
        found = locales.find_locale(code, known)
        if not found:
            try:
                locales.parse_locale(code)
            except ValueError as error:
                objections.append(f"{code} {role}: {error}")
            else:
                message = gettext("There is no language %(name)r.") % {"name": code}
                objections.append(f"{code} {role}: {message}{nearest(code, known)}")
        elif (found, role) in cells:
            message = gettext("%(locale)s %(role)s is there twice.")
            objections.append(message % {"locale": found, "role": role})
        else:
            cells[found, role] = text
    if objections:
        raise DeckRefused(*objections)
    return cells
