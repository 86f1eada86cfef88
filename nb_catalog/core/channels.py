"""Sales channels and their rules for pictures, as far as a program can check them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from nb_catalog.conf import setting_path, settings
from nb_catalog.core.slots import aspect_of
from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings, RequestRefused

FORMATS: Final = ("jpeg", "png", "webp", "avif", "gif", "bmp", "tiff")
BACKGROUNDS: Final = ("", "light", "white")
TEXTS: Final = ("", "no_promotion", "forbidden")
ORIGINS: Final = ("", "mark", "declare")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a sales channel accepts. None, "" and () stand for no rule.

    Lengths are in pixels, ``*_side`` those of the longest side, sizes of files in bytes. ``ratio`` is width
    to height, such as "1:1". ``min_fill`` and ``max_fill`` are the product's share of the frame: of its width
    or its height, whichever is larger. ``background`` is one of ``BACKGROUNDS``, ``text`` of ``TEXTS``, and
    ``origin`` of ``ORIGINS``: a "mark" in the file, or something to "declare" in ``declare_in``.
    ``jpeg_quality`` is on libjpeg's scale. ``source`` says where the rules are from, ``checked`` when they
    were read, as YYYY-MM.
    """

    key: str
    name: str
    source: str = ""
    checked: str = ""
    formats: tuple[str, ...] = ()
    min_width: int | None = None
    min_height: int | None = None
    min_side: int | None = None
    recommended_side: int | None = None
    max_side: int | None = None
    max_megapixels: float | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    jpeg_quality: int | None = None
    ratio: str = ""
    background: str = ""
    min_fill: float | None = None
    max_fill: float | None = None
    text: str = ""
    borders: bool = True
    origin: str = ""
    declare_in: str = ""


_SECONDARY: Final = "secondary sources"
_OWN: Final = "the channel's own help pages"

# Without a rule where none is known; nothing is guessed.
BUILT_IN: Final[Mapping[str, Channel]] = {
    each.key: each
    for each in (
        Channel(
            key="amazon_main", name="Amazon, main image", source=_SECONDARY, checked="2026-11",
            formats=("jpeg", "png", "tiff", "gif"), min_side=1000, recommended_side=2000, max_side=10_000,
            max_bytes=10_000_000, background="white", min_fill=0.85, text="forbidden",
            origin="declare", declare_in="Amazon’s declaration form",
        ),
        Channel(
            key="google_main", name="Google Merchant Center, image_link", source=_OWN, checked="2026-11",
            formats=("jpeg", "webp", "png", "gif", "bmp", "tiff"), min_width=500, min_height=500,
            recommended_side=1500, max_megapixels=64, max_bytes=16_000_000, background="light",
            min_fill=0.75, max_fill=0.90, text="no_promotion", origin="mark",
        ),
        Channel(
            key="google_lifestyle", name="Google Merchant Center, lifestyle_image_link", source=_OWN,
            checked="2026-11", min_width=500, min_height=500, max_megapixels=64, max_bytes=16_000_000,
            text="no_promotion", origin="mark",
        ),
        Channel(
            key="ebay", name="eBay", source=_OWN, checked="2026-11", min_side=500, recommended_side=1600,
            max_bytes=12_000_000, jpeg_quality=90, text="forbidden", borders=False,
        ),
        Channel(
            key="allegro", name="Allegro, first picture", source=_SECONDARY, checked="2026-11",
            formats=("jpeg", "png", "webp"), max_side=2560, background="white", text="forbidden",
            borders=False, origin="declare", declare_in="aiCoCreatedContent.images, in Allegro’s API",
        ),
        Channel(
            key="walmart_main", name="Walmart, main image", source=_OWN, checked="2026-11",
            formats=("jpeg", "png", "bmp"), min_width=1500, min_height=1500, recommended_side=2200,
            max_bytes=5_000_000, ratio="1:1", background="white", text="forbidden",
        ),
        Channel(
            key="bol_main", name="bol, main image", source=_OWN, checked="2026-11", min_width=500,
            min_height=500, recommended_side=1200, max_side=6000, min_bytes=30_000, max_bytes=10_000_000,
            background="white", text="forbidden",
        ),
        Channel(
            key="tiktok_shop", name="TikTok Shop", source=_SECONDARY, checked="2026-11",
            formats=("jpeg", "png"), min_width=600, min_height=600, recommended_side=1000,
            max_bytes=5_000_000, ratio="1:1", background="white", min_fill=0.80, text="forbidden",
            origin="declare", declare_in="the label of TikTok Shop",
        ),
        Channel(
            key="zalando", name="Zalando", source=_OWN, checked="2026-11", formats=("jpeg",), min_width=762,
            min_height=1100, recommended_side=2600, max_bytes=20_000_000, ratio="762:1100",
            text="forbidden",
        ),
    )
}  # fmt: skip

_CHOICES: Final = {"background": BACKGROUNDS, "text": TEXTS, "origin": ORIGINS}
_SHARES: Final = ("min_fill", "max_fill")
_TEXTS: Final = ("name", "source", "checked", "declare_in")
_KEYS: Final = tuple(field.name.upper() for field in fields(Channel) if field.name != "key")


def channels() -> Mapping[str, Channel]:
    """Return all channels by key: those that are built in, changed and added to by the setting ``CHANNELS``.

    Raises ``InvalidSettings``.
    """
    known = dict(BUILT_IN)
    for key, entry in settings.CHANNELS.items():
        values: dict[str, Any] = {}
        for name, value in entry.items():
            path = setting_path("CHANNELS", key, name)
            if name not in _KEYS:
                raise InvalidSettings(f"is not a rule.{nearest(name, _KEYS)}", path=path)
            values[name.lower()] = _accepted(name.lower(), value, path=path)
        known[key] = replace(BUILT_IN.get(key, Channel(key=key, name=key)), **values)
    return known


def channel(key: str) -> Channel:
    """Return one channel. Raises ``RequestRefused`` for an unknown key, naming the nearest."""
    known = channels()
    if key not in known:
        raise RequestRefused(
            _("There is no channel %(channel)r.") % {"channel": key} + nearest(key, known)
        )
    return known[key]


def _accepted(name: str, value: Any, *, path: str) -> Any:
    """Return ``value`` as the rule ``name`` stores it. Raises ``InvalidSettings``."""
    if name in _TEXTS:
        is_valid, wants = isinstance(value, str), "a text"
    elif name in _CHOICES:
        is_valid, wants = value in _CHOICES[name], f"one of {', '.join(map(repr, _CHOICES[name]))}"
    elif name == "formats":
        is_valid = not isinstance(value, str) and all(each in FORMATS for each in value)
        wants, value = f"a list from {', '.join(map(repr, FORMATS))}", tuple(value)
    elif name == "borders":
        is_valid, wants = isinstance(value, bool), "True or False"
    elif name == "ratio":
        is_valid, wants = _is_ratio(value), "a ratio such as '1:1', or ''"
    else:
        kinds = (int, float) if name in (*_SHARES, "max_megapixels") else (int,)
        is_number = isinstance(value, kinds) and not isinstance(value, bool) and value > 0
        is_valid = value is None or (is_number and (name not in _SHARES or value <= 1))
        wants = "a share from 0 to 1, or None" if name in _SHARES else "a positive number, or None"
    if not is_valid:
        raise InvalidSettings(f"expected {wants}, got {value!r}.", path=path)
    return value


def _is_ratio(value: Any) -> bool:
    try:
        return value == "" or bool(aspect_of(value))
    except ValueError:
        return False
