"""Arrangement: all texts of a layout in their places and sizes, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nb_catalog.core import locales
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import TextDoesNotFit, TextError
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.layout_engine import (
    COVER_TOLERANCE,
    LaidOutText,
    covered_share,
    lay_out,
)
from nb_catalog.typesetting.layouts import Box, Layout

# From one size to the next that is tried to keep clear of the product.
_SIZE_STEP: Final = 0.9
# No size is given: every text is set as large as it fits.
FREE_SIZES: Final[Mapping[str, float]] = MappingProxyType({})


def arrange(
    layout: Layout,
    texts: Mapping[str, str],
    *,
    picture: Size,
    locale: str,
    chain: FontChain,
    product: Rect | None = None,
    sizes: Mapping[str, float] = FREE_SIZES,
) -> list[LaidOutText]:
    """Lay out ``texts`` (role -> text) as large as they fit, without drawing them. Takes a few milliseconds.

    ``picture`` is the size of the picture below, and ``product`` the product's rectangle on it, in pixels.
    ``sizes`` are the largest ems by role, as shares of the result's shorter side. Boxes of one group get
    the size of the smallest.

    Raises ``TextError`` for a character that no font covers, for a text that does not fit, and for boxes
    and panels that would cover the product.
    """
    rtl = bool(locales.direction(locale))
    size, window = layout.sheet_size(picture), layout.picture_rect(picture, rtl=rtl)
    if product:
        product = product._replace(left=product.left + window.left, top=product.top + window.top)
        check_panels(layout, size=size, product=product, locale=locale)
    largest = {role: max(1, round(share * min(size))) for role, share in sizes.items()}
    language = locales.language_tag(locale)

    def set_box(box: Box, *, at_most: int | None) -> LaidOutText:
        """Lay out its text as large as it fits without covering the product."""
        text = texts[box.role].strip()
        smallest, most = box.font_sizes(size)
        most = max(smallest, min(most, at_most or most))
        try:
            while True:
                block = lay_out(
                    box, text, size=size, chain=chain, language=language, rtl=rtl, largest=most
                )
                part = "" if box.covers_product or not product else block.part_on(product)
                if not part:
                    return block
                if block.em <= smallest:
                    way_out = _("Move its box, or allow it to cover the product.")
                    raise TextDoesNotFit(f"{_covers(part, at=product)} {way_out}", text=text)
                most = max(smallest, int(block.em * _SIZE_STEP))
        except TextError as error:
            raise error.at(box=box.role, locale=locale) from error

    blocks = {
        box.role: set_box(box, at_most=largest.get(box.role))
        for box in layout.boxes
        if texts.get(box.role, "").strip()
    }
    for group in dict.fromkeys(box.group for box in layout.boxes if box.group):
        siblings = [role for role, block in blocks.items() if block.box.group == group]
        # A text that is set again may need an even smaller size, because its lines break elsewhere.
        while len({blocks[role].em for role in siblings}) > 1:
            smallest = min(siblings, key=lambda role: blocks[role].em)
            em = round(blocks[smallest].em)
            for role in siblings:
                block = blocks[role]
                if block.em > em:
                    if block.box.font_sizes(size)[0] > em:
                        raise TextDoesNotFit(
                            _(
                                "the text %(role)r of its group %(group)r fits only in %(em)s px, below the "
                                "smallest size of this box. Shorten that text, enlarge its box, or lower "
                                "'smallest' here."
                            )
                            % {"role": smallest, "group": group, "em": em},
                            text=block.text,
                        ).at(box=role, locale=locale)
                    blocks[role] = set_box(block.box, at_most=em)
    return list(blocks.values())


def check_panels(layout: Layout, *, size: Size, product: Rect, locale: str) -> None:
    """Check that no panel covers ``product`` by more than ``COVER_TOLERANCE``, on a sheet of ``size``.

    Raises ``TextDoesNotFit``.
    """
    for index, panel in enumerate(layout.panels):
        rect = panel.place.to_rect(size, rtl=bool(locales.direction(locale)))
        share = covered_share(product, rect)
        if panel.opacity > 0 and not panel.covers_product and share > COVER_TOLERANCE:
            raise TextDoesNotFit(
                _(
                    "it would cover %(share)s of the product, at %(place)s. Move or shrink it, or allow it "
                    "to cover the product (covers_product)."
                )
                % {"share": f"{share:.0%}", "place": tuple(product)},
                text="",
            ).at(box=f"panels[{index}]", locale=locale)


def _covers(part: str, *, at: Rect | None) -> str:
    """Return that ``part`` of a text, as ``LaidOutText.part_on`` names it, covers the product."""
    sentences = {
        "text": _("it would cover the product, at %(place)s."),
        "stroke": _("its stroke would cover the product, at %(place)s."),
        "plate": _("its plate would cover the product, at %(place)s."),
        "scrim": _("its scrim would cover the product, at %(place)s."),
        "shadow": _("its shadow would cover the product, at %(place)s."),
    }
    return sentences[part] % {"place": tuple(at or ())}
