"""Text from outside made fit to store, to print and to send; hints for misspelt names."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.core.exceptions import AppRegistryNotReady
from django.utils import translation
from uniseg.derived import default_ignorable_code_point

# Zero-width non-joiner and joiner: letters of Persian and Hindi need them.
_JOINERS: Final = "\u200c\u200d"
# Unicode's categories of control characters and of format characters (direction, zero width).
CONTROL_AND_FORMAT: Final = frozenset({"Cc", "Cf"})
# With surrogates, private use and unassigned.
ALL_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
# Nothing that is displayed is longer, and cleaning megabytes would take seconds.
_LONGEST_INPUT: Final = 20_000


def message(text: str) -> str:
    """Return ``text`` in the active language; unchanged where Django is not set up."""
    if not settings.configured:
        return text
    try:
        return translation.gettext(text)
    except AppRegistryNotReady:
        # Settings were read without ``django.setup()``: there are no apps to take translations from.
        return text


# The name by which the translators' tools find texts.
_ = message
# What nobody means to type: control characters except line breaks, separators, interlinear annotation, what
# failed conversions leave, halves of characters, noncharacters (Unicode 23.7), and Korean fillers.
_UNWRITABLE: Final = re.compile(
    "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufff9-\\uffff\\ufdd0-\\ufdef\\ud800-\\udfff"
    "\\u115f\\u1160\\u3164\\uffa0"
    + "".join(f"\\U{plane:04X}FFFE\\U{plane:04X}FFFF" for plane in range(1, 17))
    + "]"
)


def strip_unstorable(text: object) -> str:
    """Return ``text`` without control characters other than white space, which databases and terminals
    refuse or obey. Two halves of a surrogate pair become their character, a lone one U+FFFD."""
    value = _CONTROLS.sub("", str(text))
    if _SURROGATE.search(value):
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def message_line(text: object, length: int = 300) -> str:
    """Return a message from outside as one line of at most ``length`` characters, fit to be stored,
    logged and displayed: ``strip_unstorable``, and without characters that change the direction."""
    return shorten(visible_message(text), length)


def visible_message(text: object) -> str:
    """Return the line that ``message_line`` cuts."""
    return visible_line(strip_unstorable(str(text)[:_LONGEST_INPUT]))


def single_line(text: object) -> str:
    """Return ``text`` as one storable line: runs of white space become one space."""
    return " ".join(strip_unstorable(text).split())


def visible_line(text: object, *, hidden: frozenset[str] = CONTROL_AND_FORMAT) -> str:
    """Return ``text`` as one line without characters of the Unicode categories ``hidden``; joiners stay."""
    line = str(text)
    if line.isascii() and line.isprintable():
        return " ".join(line.split())
    shown = (
        " " if char.isspace() else char
        for char in line
        if char.isspace() or char in _JOINERS or unicodedata.category(char) not in hidden
    )
    return " ".join("".join(shown).split())


@lru_cache(maxsize=4096)
def is_visible(character: str) -> bool:
    """Return whether ``character`` must leave ink: it is not white space, a control character, or one
    that Unicode tells renderers to ignore (joiners, directional marks, variation selectors, fillers)."""
    return not (
        character.isspace()
        or unicodedata.category(character) == "Cc"
        or default_ignorable_code_point(character)
    )


def is_blank(text: str) -> bool:
    """Return whether nothing of ``text`` can be seen."""
    return not any(map(is_visible, text))


def character_name(character: str) -> str:
    """Return the code point of ``character`` and its name, as Unicode writes them."""
    names = {"\t": "TAB", "\r": "CARRIAGE RETURN"}
    return (
        f"U+{ord(character):04X} "
        f"{unicodedata.name(character, names.get(character) or _('without a name'))}"
    )


def place_in(text: str, index: int) -> str:
    """Return where the character ``index`` of ``text`` is, for a person: its number, its line if there
    are several, and what is before it."""
    line = text.count("\n", 0, index)
    start = text.rfind("\n", 0, index) + 1
    before = visible_line(text[start:index])[-12:].lstrip()
    place = _("character %(number)s") % {"number": index - start + 1}
    if "\n" in text:
        place = _("line %(number)s, %(place)s") % {"number": line + 1, "place": place}
    return _("%(place)s (after “%(text)s”)") % {"place": place, "text": before} if before else place


def unwritable(text: str) -> list[str]:
    """Return why ``text`` cannot be meant as it was typed: control characters, halves of characters, the
    remains of failed conversions and letters without ink, each with its place; or that nothing of it can be
    seen. Empty text, and line breaks, are in order."""
    problems = []
    for match in _UNWRITABLE.finditer(text):
        character = match.group()
        category = unicodedata.category(character)
        if category in {"Cc", "Zl", "Zp"}:
            what = _("%(character)s is a control character.")
        elif category == "Lo":
            what = _("%(character)s is a letter that leaves no ink.")
        elif character in "\ufffc\ufffd":
            what = _("%(character)s is left over from a failed conversion.")
        else:
            what = _("%(character)s is not a character.")
        place = place_in(text, match.start())
        what %= {"character": character_name(character)}
        problems.append(f"{place}: {what} " + _("Remove it."))
    if not problems and text.strip() and is_blank(text):
        hidden = ", ".join(
            character_name(each) for each in dict.fromkeys(text) if not each.isspace()
        )
        problems.append(
            _("it has no visible character, only %(names)s. Empty it, or type a text.")
            % {"names": hidden}
        )
    return problems


def shorten(text: str, length: int = 60) -> str:
    """Return ``text`` as one line of at most ``length`` characters, with an ellipsis where it is cut."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def nearest(word: str, known: Iterable[str], *, otherwise_all: bool = True) -> str:
    """Return `` Did you mean 'x'?`` or, without a close match, a list of the ``known`` names, or nothing."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return " " + _("Did you mean %(name)r?") % {"name": close[0]}
    if not names or not otherwise_all:
        return ""
    return " " + _("Known: %(names)s.") % {"names": ", ".join(names)}
