"""The rules of sales channels, each checked on the file that is delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from nb_catalog.core.channels import Channel
from nb_catalog.core.slots import aspect_of, is_close
from nb_catalog.core.text import shorten
from nb_catalog.export.types import Finding, Level
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.file_measures import FileMeasures
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.models import ProductImage
from nb_catalog.typesetting.ocr_diff import readings_in

# Shares of the outermost ring, and of what is away from the product, that must be white: grain, and the
# corner of a shadow, are less.
WHITE_BORDER: Final = 0.995
WHITE_OUTSIDE: Final = 0.98
# By how much the product's share of the frame, measured on pixels, may be above the stored one: its shadow.
_SHADOW: Final = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules look at: the delivered ``file``, the product's stored ``box``, None if it is not known, the
    ``text`` that is known to be on the picture, None if nobody knows, and how it was made."""

    file: FileMeasures
    box: Box | None
    text: str | None
    origin: DigitalSourceType
    is_reduced: bool = False


Rule = Callable[[Subject, Channel], Iterator[tuple[Level, str, str, str]]]


def check(subject: Subject, channels: Sequence[Channel]) -> list[Finding]:
    """Return what the rules of ``channels`` say about a file, in their order; nothing if it passes them."""
    return [
        Finding(channel=channel.key, rule=name, level=level, found=found, wanted=wanted, mend=mend)
        for channel in channels
        for name, rule in RULES.items()
        for level, found, wanted, mend in rule(subject, channel)
    ]


def box_in(image: ProductImage) -> Box | None:
    """Return the product's box that was stored with ``image``, in shares of the frame."""
    place: Any = image.checks.get("product")
    if not place:
        return None
    left, top, width, height = map(float, place)
    return Box(
        left / image.width, top / image.height,
        (left + width) / image.width, (top + height) / image.height,
    )  # fmt: skip


def text_on(image: ProductImage) -> str | None:
    """Return the text that was set or painted on ``image``, or read on it; None if no one has looked."""
    renderer: Mapping[str, Any] = image.spec.get("renderer") or {}
    texts = [str(text) for text in (renderer.get("texts") or {}).values()]
    read = readings_in(image.checks)
    texts += [word for reading in read for word in reading.extra]
    if texts:
        return shorten(" ".join(texts))
    return "" if any(reading.reader for reading in read) else None


def _format(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    if channel.formats and subject.file.format not in channel.formats:
        known = [each for each in ("jpeg", "png", "webp") if each in channel.formats]
        yield (
            Level.FAILS,
            subject.file.format.upper(),
            " / ".join(each.upper() for each in channel.formats),
            _("Export it as %(format)s.") % {"format": known[0].upper()} if known else "",
        )


def _size(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    width, height = subject.file.width, subject.file.height
    longest, found = max(width, height), _pixels(width, height)
    larger = (
        _("Export it larger.")
        if subject.is_reduced
        else _("Make a final of it on a higher tier, with more pixels.")
    )
    least = (channel.min_width or 0, channel.min_height or 0)
    if width < least[0] or height < least[1]:
        yield Level.FAILS, found, _("at least %(size)s") % {"size": _pixels(*least)}, larger
    elif channel.min_side and longest < channel.min_side:
        yield (
            Level.FAILS,
            found,
            _("at least %(pixels)s pixels on the longest side") % {"pixels": channel.min_side},
            larger,
        )
    elif channel.recommended_side and longest < channel.recommended_side:
        yield (
            Level.ADVICE,
            found,
            _("%(pixels)s pixels on the longest side or more")
            % {"pixels": channel.recommended_side},
            larger,
        )
    smaller = _("Export it smaller.")
    if channel.max_side and longest > channel.max_side:
        yield (
            Level.FAILS,
            found,
            _("at most %(pixels)s pixels on the longest side") % {"pixels": channel.max_side},
            smaller,
        )
    if channel.max_megapixels and width * height > channel.max_megapixels * 1_000_000:
        wanted = _("at most %(number)s megapixels") % {"number": f"{channel.max_megapixels:g}"}
        yield Level.FAILS, found, wanted, smaller


def _pixels(width: int, height: int) -> str:
    return _("%(width)s x %(height)s pixels") % {"width": width, "height": height}


def _bytes(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    size = subject.file.byte_size
    if channel.max_bytes and size > channel.max_bytes:
        yield (
            Level.FAILS, _megabytes(size),
            _("at most %(size)s") % {"size": _megabytes(channel.max_bytes)},
            _("Export it as JPEG, or smaller."),
        )  # fmt: skip
    if channel.min_bytes and size < channel.min_bytes:
        yield (
            Level.FAILS, _megabytes(size),
            _("at least %(size)s") % {"size": _megabytes(channel.min_bytes)},
            _("Export it larger, or as PNG."),
        )  # fmt: skip


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.2f} MB"


def _quality(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    quality = subject.file.jpeg_quality
    if channel.jpeg_quality and quality is not None and quality < channel.jpeg_quality:
        yield (
            Level.FAILS, _("JPEG quality %(quality)s") % {"quality": quality},
            _("at least %(quality)s") % {"quality": channel.jpeg_quality},
            _("Export it as PNG, or start from a file that is compressed less."),
        )  # fmt: skip


def _shape(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    width, height = subject.file.width, subject.file.height
    if channel.ratio and not is_close(width / height, aspect_of(channel.ratio)):
        yield (
            Level.FAILS, _pixels(width, height), channel.ratio,
            _("Crop or extend it to %(ratio)s.") % {"ratio": channel.ratio},
        )  # fmt: skip


def _background(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    file = subject.file
    white = _("Choose a scene with a pure white background.")
    if channel.background == "white":
        if file.white_border < WHITE_BORDER:
            yield (
                Level.FAILS,
                _("%(share)s of the border is pure white") % {"share": _percent(file.white_border)},
                _("a pure white background, RGB 255"),
                white,
            )
        elif file.white_outside is not None and file.white_outside < WHITE_OUTSIDE:
            yield (
                Level.FAILS,
                _("%(share)s of the background is pure white")
                % {"share": _percent(file.white_outside)},
                _("a pure white background, RGB 255"),
                _("Choose a scene with a pure white background and a smaller shadow."),
            )
        elif file.white_outside is None:
            yield (
                Level.UNCHECKED,
                _("the border is pure white; where the product is, is not known"),
                _("a pure white background, RGB 255"),
                "",
            )
    elif channel.background == "light" and file.light_border < WHITE_BORDER:
        yield (
            Level.ADVICE,
            _("%(share)s of the border is light") % {"share": _percent(file.light_border)},
            _("a white or light background"),
            _("Choose a light scene, or send it as a lifestyle picture."),
        )


def _percent(share: float) -> str:
    # Rounded down: 99.96 % is not all of it.
    return f"{int(share * 1000) / 10:g} %"


def _fill(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    if channel.min_fill is None and channel.max_fill is None:
        return
    boxes = [box for box in (subject.box, subject.file.ink_box) if box is not None]
    shares = [max(box.right - box.left, box.bottom - box.top) for box in boxes]
    wanted = _range(channel.min_fill, channel.max_fill)
    if not shares:
        yield Level.UNCHECKED, _("where the product is, is not known"), wanted, ""
        return
    found = _("the product takes %(share)s of the frame") % {
        "share": " / ".join(dict.fromkeys(map(_percent, shares)))
    }
    if len(shares) == 2 and not -0.03 <= shares[1] - shares[0] <= _SHADOW:
        # The stored box and the pixels disagree: text, a second product, or a wrong box.
        yield Level.UNCHECKED, found, wanted, _("Compare the picture yourself.")
    elif channel.min_fill is not None and min(shares) < channel.min_fill:
        yield (
            Level.FAILS,
            found,
            wanted,
            _("Crop it closer, or choose a scene with a larger product."),
        )
    elif channel.max_fill is not None and shares[0] > channel.max_fill:
        yield Level.FAILS, found, wanted, _("Extend it, or choose a scene with a smaller product.")


def _range(least: float | None, most: float | None) -> str:
    if most is None:
        return _("at least %(size)s") % {"size": _percent(least or 0)}
    if least is None:
        return _("at most %(size)s") % {"size": _percent(most)}
    return _("%(least)s to %(most)s") % {"least": _percent(least), "most": _percent(most)}


def _text(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    if not channel.text:
        return
    is_forbidden = channel.text == "forbidden"
    wanted = _("no text, logos or watermarks") if is_forbidden else _("no promotional text")
    if subject.text is None:
        yield (
            Level.UNCHECKED, _("nobody has looked for text on the picture"), wanted,
            _("Look at it: a label on the product itself is allowed."),
        )  # fmt: skip
    elif subject.text:
        yield (
            Level.FAILS if is_forbidden else Level.ADVICE,
            _("the text “%(text)s”") % {"text": subject.text},
            wanted,
            _("Export the picture that this text was set on."),
        )


def _border(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    if not channel.borders and subject.file.is_framed:
        yield (
            Level.FAILS, _("a border around the picture"), _("no border"),
            _("Crop the border off."),
        )  # fmt: skip


def _origin(subject: Subject, channel: Channel) -> Iterator[tuple[Level, str, str, str]]:
    mark = subject.file.mark
    if channel.origin == "mark" and mark is not subject.origin:
        yield (
            Level.FAILS,
            _("no mark of its origin in the file")
            if mark is None
            else _("the mark “%(mark)s” in the file") % {"mark": mark},
            _("the mark “%(mark)s” in the file’s XMP") % {"mark": subject.origin},
            _("Export it as JPEG, which writes the mark."),
        )
    elif channel.origin == "declare" and subject.origin.made_with_ai:
        yield (
            Level.ADVICE,
            _("made with AI (%(mark)s)") % {"mark": subject.origin},
            _("declared in %(where)s") % {"where": channel.declare_in},
            _("Declare it when you upload the picture."),
        )


RULES: Final[Mapping[str, Rule]] = {
    "format": _format,
    "size": _size,
    "bytes": _bytes,
    "quality": _quality,
    "ratio": _shape,
    "background": _background,
    "fill": _fill,
    "text": _text,
    "border": _border,
    "origin": _origin,
}
