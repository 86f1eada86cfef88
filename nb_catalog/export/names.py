"""Names of exported files: from a pattern, fit for every file system, and no two the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from string import Formatter
from typing import Final

from django.utils.translation import gettext as _

from nb_catalog.core.text import nearest, strip_unstorable, visible_line
from nb_catalog.exceptions import RequestRefused

FIELDS: Final = (
    "sku", "slug", "title", "pk", "slot", "locale", "position", "width", "height", "ratio", "image",
)  # fmt: skip
EXTENSIONS: Final[Mapping[str, str]] = {
    "jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif"
}  # fmt: skip
LONGEST_PATTERN: Final = 200
# Bytes of UTF-8, where most systems allow 255: room for a number, an extension and what unpacking adds.
LONGEST_PART: Final = 180
MOST_FOLDERS: Final = 4
_EXTENSION: Final = re.compile(r"\.(jpe?g|png|webp|avif)$", re.IGNORECASE)
# Not allowed on Windows, or by shells and browsers hard to use.
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')
_SEPARATORS: Final = re.compile(r"([-_. ])[-_. ]+")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file, whatever follows after a dot.
_RESERVED: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE
)


class NamePattern:
    """A pattern such as ``{sku}-{slot}-{locale}.jpg``; "/" makes folders.

    The extension is that of the file's format, whatever the pattern says. Raises ``RequestRefused`` for
    unknown fields and for patterns that could leave the folder.
    """

    def __init__(self, pattern: str) -> None:
        text = unicodedata.normalize("NFC", pattern).strip()
        if not text or len(text) > LONGEST_PATTERN:
            raise RequestRefused(
                _(
                    "The pattern of names must have 1 to %(most)s characters, such as "
                    "{sku}-{slot}-{locale}.jpg."
                )
                % {"most": LONGEST_PATTERN}
            )
        self.parts = [list(_parsed(part)) for part in _EXTENSION.sub("", text).split("/")]
        if len(self.parts) > MOST_FOLDERS + 1 or not all(self.parts):
            raise RequestRefused(
                _(
                    "The pattern %(pattern)r does not name a file. Write a name, with up to %(most)s folders "
                    "before it, and no / at its ends."
                )
                % {"pattern": pattern, "most": MOST_FOLDERS}
            )
        if any(literal.strip() in (".", "..") and name is None and len(part) == 1
               for part in self.parts for literal, name in part):  # fmt: skip
            raise RequestRefused(
                _("The pattern %(pattern)r leaves its folder. Write no . or .. between slashes.")
                % {"pattern": pattern}
            )

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the names are made of."""
        return frozenset(name for part in self.parts for _text, name in part if name)

    def stem(self, values: Mapping[str, object]) -> str:
        """Return the name with ``values``, without its extension; at least the picture's number.

        Separators around empty values are merged into one.
        """
        parts = [
            # A value does not separate folders, whatever a product is called.
            cleaned(
                "".join(
                    literal + _FORBIDDEN.sub("-", str(values.get(name or "", "")))
                    for literal, name in part
                )
            )
            for part in self.parts
        ]
        if not parts[-1]:
            parts[-1] = str(values.get("image", "")) or "picture"
        return "/".join(filter(None, parts))


def _parsed(part: str) -> list[tuple[str, str | None]]:
    """Return the literals of a part of a pattern, each with the field after it."""
    try:
        found = [(text, name, form, conversion) for text, name, form, conversion
                 in Formatter().parse(part)]  # fmt: skip
    except ValueError as error:
        raise RequestRefused(
            _("The pattern %(pattern)r has a brace too many or too few. Write fields as {sku}.")
            % {"pattern": part}
        ) from error
    for _text, name, form, conversion in found:
        if name is None:
            continue
        if name not in FIELDS or form or conversion:
            written = "{" + name + (f"!{conversion}" if conversion else "") + (
                f":{form}" if form else ""
            ) + "}"  # fmt: skip
            raise RequestRefused(
                _("Names have no field %(field)s.") % {"field": written} + nearest(name, FIELDS)
            )
    return [(text, name) for text, name, _form, _conversion in found]


def cleaned(text: str) -> str:
    """Return ``text`` as a part of a name that every file system takes; "" if nothing remains."""
    line = visible_line(unicodedata.normalize("NFC", strip_unstorable(text)))
    # visible_line() keeps joiners, which nobody can type to open the file.
    line = _FORBIDDEN.sub("-", line.replace("\u200c", "").replace("\u200d", ""))
    line = _SEPARATORS.sub(r"\1", line).strip("-_. ")
    line = line.encode()[:LONGEST_PART].decode(errors="ignore").strip("-_. ")
    return f"_{line}" if _RESERVED.fullmatch(line) else line


def key_of(stem: str) -> str:
    """Return what names that are the same on some file system have in common."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", stem).casefold())


class Names:
    """The names that are taken in one archive."""

    def __init__(self, *, number: bool) -> None:
        self._number = number
        self._taken: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def take(self, stem: str, *, image: int) -> tuple[str, int | None]:
        """Return the name that the picture ``image`` gets, and the picture that has it already.

        The second is None if the name was free, or if the picture got a number.
        """
        key = key_of(stem)
        if key not in self._taken:
            self._taken[key] = image
            return stem, None
        if not self._number:
            return stem, self._taken[key]
        number = self._numbers.get(key, 1)
        while True:
            number += 1
            numbered = f"{stem}-{number}"
            if key_of(numbered) not in self._taken:
                self._numbers[key] = number
                self._taken[key_of(numbered)] = image
                return numbered, None
