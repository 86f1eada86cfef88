"""Texts with places for a product's values: "Now {price} until {ends:long}"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any, NamedTuple

from nb_catalog.core.locales import STYLES, format_value
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import CopyMissing


class Part(NamedTuple):
    """Words, and the value that follows them: its ``name`` is empty where none does."""

    literal: str
    name: str
    style: str

    @property
    def written(self) -> str:
        """The value's place as it stands in the text: "{price:short}"."""
        return f"{{{self.name}:{self.style}}}" if self.style else f"{{{self.name}}}"


def parts(text: str) -> list[Part]:
    """``text`` taken apart. "{{" and "}}" are braces.

    Raises ``ValueError`` for braces that do not close, and for anything but a name with a style.
    """
    try:
        return list(_pieces(text))
    except ValueError as error:
        raise ValueError(
            f"{text!r}: {error} Write values as {{name}} or {{name:style}}, and braces doubled."
        ) from error


def _pieces(text: str) -> Iterator[Part]:
    try:
        found = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError("a brace stands alone.") from error
    for literal, name, style, conversion in found:
        if name is None:
            yield Part(literal, "", "")
            continue
        if conversion or not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a value.")
        if style not in STYLES:
            raise ValueError(f"there is no style {style!r}.{nearest(style or '', STYLES[1:])}")
        yield Part(literal, name, style or "")


def names(text: str) -> list[str]:
    """The values that ``text`` asks for, each once. Raises ``ValueError``."""
    return list(dict.fromkeys(piece.name for piece in parts(text) if piece.name))


def fill(text: str, values: Mapping[str, Any], *, locale: str) -> str:
    """``text`` with its values as ``locale`` writes them.

    Raises ``CopyMissing`` for a value that is not there or empty, ``ValueError`` as ``parts`` does.
    """
    return "".join(
        piece.literal + (_value(piece, values, locale=locale) if piece.name else "")
        for piece in parts(text)
    )


def _value(piece: Part, values: Mapping[str, Any], *, locale: str) -> str:
    if piece.name not in values:
        raise CopyMissing(f"There is no value {{{piece.name}}}.{nearest(piece.name, values)}")
    value = values[piece.name]
    if value is None or value == "":
        raise CopyMissing(f"The product has no {{{piece.name}}}.")
    try:
        return format_value(value, locale, style=piece.style)
    except ValueError as error:
        raise CopyMissing(f"{{{piece.name}:{piece.style}}} cannot be written: {error}") from error
