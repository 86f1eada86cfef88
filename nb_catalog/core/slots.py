"""Slots: named places in the storefront, and the one decision whether a picture fits a slot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import floor, isfinite
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Size
from nb_catalog.exceptions import RegistryError

# By how much a picture's ratio may differ from its slot's. Models return 928 x 1152 for 4:5 (0.7 %)
# and 1584 x 672 for 21:9 (1 %); with `object-fit: cover` 2 % costs 1 % of the picture at either edge.
RATIO_TOLERANCE: Final = 0.02

# The smallest text on a picture, in CSS pixels: the size of the smallest label styles in Apple's Human
# Interface Guidelines (Typography: Caption 2, "minimum 11 pt") and Material Design 3 (Label Small, 11 sp).
DEFAULT_MIN_TEXT: Final = 11.0
# The width in CSS pixels of a picture across the page on the most common small phones.
PHONE_WIDTH: Final = 360
# Above this a slot would take hardly any text; it is likely a width.
MAX_MIN_TEXT: Final = 100

# What happens when the text on a published picture is no longer true.
STALE_POLICIES: Final = ("keep", "withdraw", "renew")

NO_TEXTS: Final[Mapping[str, float]] = MappingProxyType({})

_NAME: Final = re.compile(r"[-a-zA-Z0-9_]{1,40}")
_RATIO: Final = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")

# What ``CatalogSource.slots`` may be: names, slots, or name -> ratio.
SlotsLike: TypeAlias = "Iterable[str | Slot] | Mapping[str, str | Slot | None]"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the storefront.

    ``ratio``, such as "4:5", is that of the pictures it takes, give or take ``RATIO_TOLERANCE``; ""
    takes any. ``min_width`` is in pixels. Without ``words`` it takes no pictures with text. ``stale``
    is what happens when the text on its published picture is no longer true: "keep" (it is only
    reported), "withdraw", or "renew" (typeset text is set again and published without a person).

    ``shown_width`` is the narrowest width at which pages show the picture, on a phone, and ``min_text``
    the em that typeset text must have there; both in CSS pixels, and 0 for ``min_text`` takes any. The
    defaults are a 360 px wide phone and the 11 px of Apple's and Google's smallest label styles.

    Raises ``RegistryError`` for values that are not valid.
    """

    name: str
    ratio: str = field(default="", kw_only=True)
    min_width: int = field(default=0, kw_only=True)
    words: bool = field(default=True, kw_only=True)
    stale: str = field(default="keep", kw_only=True)
    min_text: float = field(default=DEFAULT_MIN_TEXT, kw_only=True)
    shown_width: int = field(default=PHONE_WIDTH, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise RegistryError(
                f"A slot's name must be 1 to 40 letters, digits, hyphens or underscores, such as "
                f"'hero', not {self.name!r}."
            )
        try:
            if self.ratio != "":
                aspect_of(self.ratio)
        except ValueError:
            expected = "two numbers above zero such as '4:5', or '' for any"
            raise self._wrong("ratio", expected) from None
        if not _is_number(self.min_width, int) or self.min_width < 0:
            raise self._wrong("min_width", "a whole number of pixels, 0 for any")
        if not _is_number(self.min_text, int | float) or not 0 <= self.min_text <= MAX_MIN_TEXT:
            raise self._wrong("min_text", f"CSS pixels from 0 (any) to {MAX_MIN_TEXT}")
        if not _is_number(self.shown_width, int) or self.shown_width < 1:
            raise self._wrong("shown_width", "a whole number of CSS pixels above zero")
        if not isinstance(self.words, bool):
            raise self._wrong("words", "True or False")
        if self.stale not in STALE_POLICIES:
            expected = f"one of {', '.join(map(repr, STALE_POLICIES))}"
            raise self._wrong("stale", expected, nearest(str(self.stale), STALE_POLICIES))

    def _wrong(self, name: str, expected: str, hint: str = "") -> RegistryError:
        value = getattr(self, name)
        return RegistryError(
            f"Slot({self.name!r}, {name}={value!r}): {name} must be {expected}.{hint}"
        )

    @property
    def aspect(self) -> float:
        """Width divided by height; 0.0 if the slot takes any ratio."""
        return aspect_of(self.ratio) if self.ratio else 0.0

    def objections(
        self, size: Size, *, has_words: bool, text_sizes: Mapping[str, float] = NO_TEXTS
    ) -> Iterator[str]:
        """Yield every reason why a picture of ``size`` in pixels does not fit; nothing if it fits.

        ``text_sizes`` are the ems of its typeset texts in pixels of the picture, by a name for messages.
        Plans, text layouts and publishing all ask this, with the planned or the actual size.
        """
        width, height = size
        if self.aspect and not is_close(width / height, self.aspect):
            yield (
                _(
                    "The slot %(slot)r takes pictures of %(ratio)s; this one has %(width)s x %(height)s "
                    "pixels and would be cropped. Choose %(ratio)s."
                )
                % {"slot": self.name, "ratio": self.ratio, "width": width, "height": height}
            )
        if width < self.min_width:
            yield (
                _(
                    "The slot %(slot)r takes pictures at least %(least)s pixels wide; this one has "
                    "%(width)s. Choose a larger size."
                )
                % {"slot": self.name, "least": self.min_width, "width": width}
            )
        if has_words and not self.words:
            yield (
                _("The slot %(slot)r takes no pictures with text. Choose another slot.")
                % {"slot": self.name}
            )
        for name, em in text_sizes.items():
            shown = em * self.shown_width / width
            if shown < self.min_text:
                reason = _(
                    "shown %(width)s px wide in the slot %(slot)r, the text would be %(size)s px large; at "
                    "least %(least)s px are legible. Shorten it, or enlarge its box and its largest size."
                ) % {
                    "width": self.shown_width,
                    "slot": self.name,
                    "size": f"{floor(shown * 10) / 10:g}",
                    "least": f"{self.min_text:g}",
                }
                yield f"{name}: {reason}"


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and isfinite(value)


def aspect_of(ratio: str) -> float:
    """Return width divided by height of a ratio such as "4:5". Raises ``ValueError`` for anything else."""
    parts = _RATIO.fullmatch(ratio) if isinstance(ratio, str) else None
    across, down = map(float, parts.groups()) if parts else (0.0, 0.0)
    if not across or not down:
        raise ValueError(f"{ratio!r} is not a ratio such as '4:5'.")
    return across / down


def is_close(ratio: float, other: float) -> bool:
    """Return whether two ratios differ by at most ``RATIO_TOLERANCE``, of the smaller one."""
    return max(ratio, other) / min(ratio, other) <= 1 + RATIO_TOLERANCE


def misfits(
    slots: Iterable[Slot],
    size: Size,
    *,
    has_words: bool,
    text_sizes: Mapping[str, float] = NO_TEXTS,
) -> tuple[str, ...]:
    """Return () if a picture fits one of ``slots``, otherwise every reason of every slot."""
    reasons: list[str] = []
    for slot in slots:
        objections = tuple(slot.objections(size, has_words=has_words, text_sizes=text_sizes))
        if not objections:
            return ()
        reasons += objections
    return tuple(reasons)


def parse_slots(given: Any, *, owner: str) -> Mapping[str, Slot]:
    """Return the slots that ``CatalogSource.slots`` declares, by name, in order.

    ``owner`` is the class that errors name. Raises ``RegistryError``.
    """
    expected = "names such as ('hero', 'gallery'), Slot objects, or a dict such as {'hero': '4:5'}"
    if isinstance(given, str | Slot) or not isinstance(given, Iterable):
        raise RegistryError(f"{owner}.slots must be {expected}, not {given!r}.")
    slots: dict[str, Slot] = {}
    has_names = isinstance(given, Mapping)
    for each in given:
        try:
            value = given[each] if isinstance(given, Mapping) else each
            if not isinstance(value, Slot):
                ratio = value if has_names and value is not None else ""
                slot = Slot(each, ratio=ratio)
            elif has_names and value.name != each:
                raise RegistryError(
                    f"{each!r} has a slot that is named {value.name!r}. Use one name."
                )
            else:
                slot = value
        except RegistryError as error:
            raise RegistryError(f"{owner}.slots: {error}") from error
        if slot.name in slots:
            raise RegistryError(f"{owner}.slots has {slot.name!r} twice. Keep one of them.")
        slots[slot.name] = slot
    return slots
