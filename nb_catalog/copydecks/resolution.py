"""Texts for a product: those of a copy deck, and the host's own for roles that the deck does not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Model
from django.utils import translation

from nb_catalog.copydecks import placeholders
from nb_catalog.core import locales
from nb_catalog.exceptions import CopyMissing
from nb_catalog.models import CopyDeck
from nb_catalog.registry import CatalogSource
from nb_catalog.typesetting.layouts import Layout


@dataclass(frozen=True, slots=True)
class ResolvedCopy:
    """Texts by role; ``problems`` says for other roles why their text cannot be filled in."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def for_layout(self, layout: Layout) -> dict[str, str]:
        """Return the texts that ``layout`` has a box for."""
        return {role: self.texts[role] for role in layout.roles if self.texts.get(role)}

    def layout_error(self, layout: Layout, *, name: str, locale: str) -> CopyMissing | None:
        """Return why ``layout``, called ``name``, cannot be filled in ``locale``; None if it can.

        Texts of another language are never used instead.
        """
        broken = [role for role in layout.roles if role in self.problems]
        if broken:
            return CopyMissing(f"The text {broken[0]!r} in {locale!r}: {self.problems[broken[0]]}")
        required = [box.role for box in layout.boxes if not box.optional]
        missing = [role for role in required if not self.texts.get(role)]
        if missing:
            return CopyMissing(
                f"The layout “{name}” needs {', '.join(missing)}, and there is none in {locale!r}."
            )
        if not self.for_layout(layout):
            return CopyMissing(
                f"The layout “{name}” has a box for none of the texts in {locale!r}."
            )
        return None


@dataclass(frozen=True, kw_only=True)
class CopyResolver:
    """Finds the texts for products. The deck's texts are read once."""

    source: CatalogSource
    deck: CopyDeck | None = None

    @cached_property
    def deck_texts(self) -> Mapping[str, Mapping[str, str]]:
        return self.deck.texts_by_locale if self.deck else {}

    def resolve(self, product: Model, locale: str) -> ResolvedCopy:
        """Return the texts for ``product`` in ``locale``: the deck's, then the host's own.

        A role without a text in ``locale`` is looked up in its ``LOCALE_FALLBACKS``.
        """
        codes = locales.fallback_chain(locale)
        copy = ResolvedCopy()
        if self.deck_texts:
            texts: dict[str, str] = {}
            for code in reversed(codes):
                texts |= self.deck_texts.get(code, {})
            with translation.override(locale):
                values = self.source.values(product, locale)
            for role, text in texts.items():
                try:
                    copy.texts[role] = placeholders.fill(text, values, locale=locale)
                except (CopyMissing, ValueError) as error:
                    copy.problems[role] = str(error)
        for code in codes:
            with translation.override(code):
                own = self.source.copy(product, code)
            for role, text in own.items():
                # A deck's text that cannot be filled in is a problem to report, not one to hide.
                if text and (stripped := str(text).strip()) and role not in copy.problems:
                    copy.texts.setdefault(role, stripped)
        return copy
