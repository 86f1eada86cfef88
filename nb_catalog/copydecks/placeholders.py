"""Texts with placeholders for a product's values: "Now {price} until {ends:long}"."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from nb_catalog.core.locales import STYLES, format_value
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import CopyMissing


class Part(NamedTuple):
    """Literal text and the placeholder after it; ``name`` is "" if none follows."""

    literal: str
    name: str
    style: str

    @property
    def placeholder(self) -> str:
        """The placeholder as it is written in the text: "{price:short}"."""
        return f"{{{self.name}:{self.style}}}" if self.style else f"{{{self.name}}}"


def parts(text: str) -> list[Part]:
    """Split ``text`` at its placeholders. "{{" and "}}" are literal braces.

    Raises ``ValueError`` for unbalanced braces, and for anything but a name with an optional style.
    """
    try:
        fields = list(Formatter().parse(text))
    except ValueError as error:
        raise _syntax_error(text, _("unbalanced brace.")) from error
    split: list[Part] = []
    for literal, name, style, conversion in fields:
        if name is not None and (conversion or not name.isidentifier()):
            raise _syntax_error(text, _("%(name)r is not the name of a value.") % {"name": name})
        if name is not None and style not in STYLES:
            hint = nearest(style or "", STYLES[1:])
            raise _syntax_error(text, _("there is no style %(style)r.") % {"style": style} + hint)
        split.append(Part(literal, name or "", style or ""))
    return split


def _syntax_error(text: str, problem: str) -> ValueError:
    return ValueError(
        f"{text!r}: {problem} "
        + _("Write values as {name} or {name:style}, and double literal braces.")
    )


def names(text: str) -> list[str]:
    """Return the names of the values in ``text``, without duplicates. Raises ``ValueError``."""
    return list(dict.fromkeys(part.name for part in parts(text) if part.name))


def fill(text: str, values: Mapping[str, Any], *, locale: str) -> str:
    """Return ``text`` with its ``values`` formatted for ``locale``.

    Raises ``CopyMissing`` for a value that is missing or empty, ``ValueError`` as ``parts`` does.
    """
    filled = ""
    for literal, name, style in parts(text):
        filled += literal
        if not name:
            continue
        if name not in values:
            raise CopyMissing(
                _("There is no value %(name)s.") % {"name": f"{{{name}}}"} + nearest(name, values)
            )
        if values[name] is None or values[name] == "":
            raise CopyMissing(_("The product has no %(name)s.") % {"name": f"{{{name}}}"})
        try:
            filled += format_value(values[name], locale, style=style)
        except ValueError as error:
            raise CopyMissing(
                _("%(name)s cannot be formatted: %(error)s")
                % {"name": f"{{{name}:{style}}}", "error": error}
            ) from error
    return filled
