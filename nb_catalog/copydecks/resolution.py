"""The words for a product: a copy deck's, and the shop's own where it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Words by role, and what is wrong with the texts of other roles."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def shown_by(self, layout: Layout) -> dict[str, str]:
        """The words that ``layout`` has a box for."""
        return {role: self.texts[role] for role in layout.roles if self.texts.get(role)}

    def missing_for(self, layout: Layout, *, name: str, locale: str) -> CopyMissing | None:
        """Why ``layout``, called ``name``, cannot be filled. Never another language is taken in
        place of the one that was asked for."""
        broken = [role for role in layout.roles if role in self.problems]
        if broken:
            return CopyMissing(f"The text {broken[0]!r} in {locale!r}: {self.problems[broken[0]]}")
        must = [box.role for box in layout.boxes if not box.optional]
        needed = [role for role in must if not self.texts.get(role)]
        if needed:
            return CopyMissing(
                f"The layout “{name}” needs {', '.join(needed)}, and there is none in {locale!r}."
            )
        if not self.shown_by(layout):
            return CopyMissing(f"The layout “{name}” shows nothing that there is in {locale!r}.")
        return None


@dataclass(frozen=True, kw_only=True)
class CopyResolver:
    """Where words come from. The deck's texts are read once."""

    source: CatalogSource
    deck: CopyDeck | None = None

    def copy(self, product: Model, locale: str) -> ResolvedCopy:
        """The words for ``product`` in ``locale``: the deck's, then the shop's own; of each, what
        ``LOCALE_FALLBACKS`` lets stand in where a role has none."""
        codes = locales.fallback_chain(locale)
        copy = self._from_deck(product, locale, codes) if self._texts else ResolvedCopy()
        for code in codes:
            for role, text in self._said(product, code).items():
                # What the deck cannot say is not said in other words.
                if text and role not in copy.problems:
                    copy.texts.setdefault(role, text)
        return copy

    def _from_deck(self, product: Model, locale: str, codes: Sequence[str]) -> ResolvedCopy:
        copy = ResolvedCopy()
        with translation.override(locale):
            values = self.source.values(product, locale)
        for role, text in self._texts_in(codes).items():
            try:
                copy.texts[role] = placeholders.fill(text, values, locale=locale)
            except (CopyMissing, ValueError) as error:
                copy.problems[role] = str(error)
        return copy

    def _texts_in(self, codes: Sequence[str]) -> dict[str, str]:
        """Role -> text of the first of ``codes`` that has one."""
        texts: dict[str, str] = {}
        for code in reversed(codes):
            texts |= self._texts.get(code, {})
        return texts

    def _said(self, product: Model, code: str) -> Mapping[str, str]:
        with translation.override(code):
            said = self.source.copy(product, code)
        return {role: str(text).strip() for role, text in said.items() if text}

    @cached_property
    def _texts(self) -> Mapping[str, Mapping[str, str]]:
        return self.deck.texts_by_locale if self.deck else {}
