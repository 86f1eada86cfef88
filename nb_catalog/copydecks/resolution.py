"""Texts for a product: those of a copy deck, and the host's own for roles that the deck does not have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.copydecks import placeholders
from nb_catalog.core import locales
from nb_catalog.core.attributes import as_text, evaluate, host_code
from nb_catalog.core.text import unwritable
from nb_catalog.exceptions import CopyMissing
from nb_catalog.models import CopyDeck
from nb_catalog.registry import CatalogSource
from nb_catalog.typesetting.layouts import Layout

_ODD_SPACE: Final = re.compile(r"[^\S\n]")


@dataclass(frozen=True, slots=True)
class ResolvedCopy:
    """Texts by role; ``problems`` says for other roles why their text cannot be filled in."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, role: str, text: str) -> None:
        """Add a text for ``role``; a problem if it has characters that nobody means to show. Nothing is
        added if ``text`` is empty."""
        stripped = text.strip()
        # White space of any kind is a space on a picture; values of products have what editors left.
        if problems := unwritable(_ODD_SPACE.sub(" ", stripped)):
            self.problems[role] = problems[0]
        elif stripped:
            self.texts[role] = stripped

    def for_layout(self, layout: Layout) -> dict[str, str]:
        """Return the texts that ``layout`` has a box for."""
        return {role: self.texts[role] for role in layout.roles if self.texts.get(role)}

    def layout_error(self, layout: Layout, *, name: str, locale: str) -> CopyMissing | None:
        """Return why ``layout``, called ``name``, cannot be filled in ``locale``; None if it can.

        Texts of another language are never used instead.
        """
        broken = [role for role in layout.roles if role in self.problems]
        if broken:
            return CopyMissing(
                _("The text %(role)r in %(locale)r: %(problem)s")
                % {"role": broken[0], "locale": locale, "problem": self.problems[broken[0]]}
            )
        required = [box.role for box in layout.boxes if not box.optional]
        missing = [role for role in required if not self.texts.get(role)]
        if missing:
            return CopyMissing(
                _("The layout “%(name)s” needs %(roles)s, and there is none in %(locale)r.")
                % {"name": name, "roles": ", ".join(missing), "locale": locale}
            )
        if not self.for_layout(layout):
            return CopyMissing(
                _("The layout “%(name)s” has a box for none of the texts in %(locale)r.")
                % {"name": name, "locale": locale}
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
        name = type(self.source).__name__
        codes = locales.fallback_chain(locale)
        copy = ResolvedCopy()
        if self.deck_texts:
            texts: dict[str, str] = {}
            for code in reversed(codes):
                texts |= self.deck_texts.get(code, {})
            with translation.override(locale), host_code(f"{name}.values()"):
                values = self.source.values(product, locale)
                values = {key: evaluate(value) for key, value in values.items()}
            for role, text in texts.items():
                try:
                    copy.add(role, placeholders.fill(text, values, locale=locale))
                except (CopyMissing, ValueError) as error:
                    copy.problems[role] = str(error)
        for code in codes:
            with translation.override(code), host_code(f"{name}.copy()"):
                own = self.source.copy(product, code)
                own = {role: as_text(text) for role, text in own.items() if text}
            for role, text in own.items():
                # A deck's text that cannot be filled in is a problem to report, not one to hide.
                if text and role not in copy.problems and role not in copy.texts:
                    copy.add(role, text)
        return copy
