"""Sets the texts of a plan without drawing them: what cannot be set or read is known before the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median_high
from typing import Final

from django.utils.translation import gettext as _

from nb_catalog.core import locales
from nb_catalog.core.slots import Slot, misfits
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import (
    FontUnreadable,
    NBCatalogError,
    RequestRefused,
    TextDoesNotFit,
    TextError,
)
from nb_catalog.typesetting import FontChain, fonts
from nb_catalog.typesetting.arrangement import arrange, check_panels
from nb_catalog.typesetting.layouts import Layout

# A plan sets this many pictures completely, at 2 to 5 ms each. Of the rest it sets those with a longer text
# than any before and those whose product reaches into a box, up to the second number.
FULLY_SET: Final = 300
MAX_SET: Final = 1000
CACHED: Final = 4096
# In a series no text may need less than this share of the median size: it would shrink all others.
MIN_SHARE_OF_MEDIAN: Final = 0.6

# (role, share of the shorter side), in the order of roles.
Sizes = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSetting:
    """The texts of one planned picture; ``picture`` is the size of the picture below, ``product`` the
    product's rectangle on it, in pixels."""

    layout: Layout
    texts: tuple[tuple[str, str], ...]
    locale: str
    picture: Size
    product: Rect | None = None

    @property
    def sheet(self) -> Size:
        return self.layout.sheet_size(self.picture)

    @property
    def reaches_into_box(self) -> bool:
        """Whether the product's rectangle overlaps that of a box that must keep clear of it."""
        if self.product is None:
            return False
        rtl = bool(locales.direction(self.locale))
        window, texts = self.layout.picture_rect(self.picture, rtl=rtl), dict(self.texts)
        product = _moved(self.product, window)
        return any(
            box.place.to_rect(self.sheet, rtl=rtl).shared(product)
            for box in self.layout.boxes
            if not box.covers_product and box.role in texts
        )

    def check_panels(self) -> None:
        """Raise ``TextDoesNotFit`` if a panel would cover the product."""
        if self.product is not None and self.layout.panels:
            window = self.layout.picture_rect(
                self.picture, rtl=bool(locales.direction(self.locale))
            )
            check_panels(
                self.layout,
                size=self.sheet,
                product=_moved(self.product, window),
                locale=self.locale,
            )


def text_setting(
    layout: Layout, renderer: Mapping[str, object], *, locale: str, picture: Size
) -> TextSetting:
    """Return the setting of a spec with the options ``renderer``."""
    texts, product = renderer["texts"], renderer.get("product")
    assert isinstance(texts, Mapping)  # noqa: S101 - written by the planners
    return TextSetting(
        layout=layout,
        texts=tuple(sorted(texts.items())),
        locale=locale,
        picture=picture,
        product=Rect(*product) if isinstance(product, list | tuple) and product else None,
    )


def ems_of(setting: TextSetting, sizes: Sizes = ()) -> Mapping[str, float] | NBCatalogError:
    """Return the em of each text in pixels of the finished picture, or why it cannot be set.

    ``sizes`` are the largest ones.
    """
    try:
        return laid_out_ems(setting, sizes, fonts.chain_for(setting.locale))
    except (TextError, FontUnreadable) as error:
        return error


@lru_cache(maxsize=CACHED)
def laid_out_ems(setting: TextSetting, sizes: Sizes, chain: FontChain) -> Mapping[str, float]:
    blocks = arrange(
        setting.layout, dict(setting.texts), picture=setting.picture, locale=setting.locale,
        chain=chain, product=setting.product, sizes=dict(sizes),
    )  # fmt: skip
    return {block.box.role: block.em for block in blocks}


@dataclass(kw_only=True)
class TextChecks:
    """One pass over the pictures of a plan: which of them are set, and what is wrong with these.

    The same pictures in the same order are selected each time.
    """

    count: int = 0
    longest: dict[tuple[str, ...], int] = field(default_factory=dict)

    def selects(self, setting: TextSetting, *, layout: str) -> bool:
        """Return whether to set ``setting``, which is in the layout with that key."""
        if self.count >= MAX_SET:
            return False
        shape = "{}x{}".format(*setting.picture)
        lengths = {(layout, setting.locale, shape, role): len(text) for role, text in setting.texts}
        is_longer = any(length > self.longest.get(key, 0) for key, length in lengths.items())
        if self.count >= FULLY_SET and not is_longer and not setting.reaches_into_box:
            return False
        self.count += 1
        if is_longer:
            for key, length in lengths.items():
                self.longest[key] = max(length, self.longest.get(key, 0))
        return True

    def problem(
        self,
        setting: TextSetting,
        *,
        layout: str,
        slots: Iterable[Slot],
        sizes: Mapping[str, float],
    ) -> NBCatalogError | None:
        """Return why the texts cannot be set, or not be read in any of ``slots``; None if they can.

        ``sizes`` are those of the series, by role; texts that need a smaller one are a problem.
        """
        try:
            setting.check_panels()
        except TextError as error:
            return error
        if not self.selects(setting, layout=layout):
            return None
        ems = ems_of(setting, sorted_sizes(sizes))
        if isinstance(ems, NBCatalogError):
            return ems
        texts, side = dict(setting.texts), min(setting.sheet)
        for role, em in ems.items():
            wanted = round(sizes.get(role, 0) * side)
            if em < wanted:
                return TextDoesNotFit(
                    _(
                        "it fits only in %(em)s px; the others of its series have %(wanted)s px (same_size). "
                        "Shorten it, or plan its product separately."
                    )
                    % {"em": round(em), "wanted": wanted},
                    text=texts[role],
                ).at(box=role, locale=setting.locale)
        return illegible(setting, ems, slots=slots)


def illegible(
    setting: TextSetting, ems: Mapping[str, float], *, slots: Iterable[Slot]
) -> RequestRefused | None:
    """Return which texts would be too small on phones in each of those ``slots`` that take the picture."""
    taking = [slot for slot in slots if not any(slot.objections(setting.sheet, has_words=True))]
    names = {f"{role} ({setting.locale})": em for role, em in ems.items()}
    reasons = misfits(taking, setting.sheet, has_words=True, text_sizes=names)
    return RequestRefused(*reasons) if reasons else None


def series_sizes(settings: Iterable[TextSetting], *, slots: Iterable[Slot]) -> dict[str, float]:
    """Return the size of each role at which all texts of ``settings`` fit, as a share of the shorter side.

    Texts that cannot be set or read, or that would need less than ``MIN_SHARE_OF_MEDIAN``, are left out.
    """
    slots = list(slots)
    ems = {setting: ems_of(setting) for setting in settings}
    usable = {
        setting: _shares(setting, each)
        for setting, each in ems.items()
        if not isinstance(each, NBCatalogError) and not illegible(setting, each, slots=slots)
    }
    bounds = {
        role: MIN_SHARE_OF_MEDIAN * median_high(shares)
        for role, shares in _by_role(usable.values()).items()
    }
    usable = {
        setting: shares
        for setting, shares in usable.items()
        if all(share >= bounds[role] for role, share in shares.items())
    }
    sizes = {role: min(shares) for role, shares in _by_role(usable.values()).items()}
    while True:
        # A text may not fit at exactly this size, because its lines break elsewhere.
        again = [(setting, ems_of(setting, sorted_sizes(sizes))) for setting in usable]
        smaller = _by_role(
            _shares(setting, each)
            for setting, each in again
            if not isinstance(each, NBCatalogError)
        )
        lower = {role: min([size, *smaller.get(role, ())]) for role, size in sizes.items()}
        if lower == sizes:
            return sizes
        sizes = lower


def sorted_sizes(sizes: Mapping[str, float]) -> Sizes:
    return tuple(sorted(sizes.items()))


def _shares(setting: TextSetting, ems: Mapping[str, float]) -> dict[str, float]:
    side = min(setting.sheet)
    return {role: round(em / side, 6) for role, em in ems.items()}


def _by_role(shares: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for each in shares:
        for role, share in each.items():
            found.setdefault(role, []).append(share)
    return found


def _moved(product: Rect, window: Rect) -> Rect:
    return product._replace(left=product.left + window.left, top=product.top + window.top)
