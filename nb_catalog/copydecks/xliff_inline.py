"""Texts in an XLIFF ``<source>`` or ``<target>``, where placeholders are inline elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree import ElementTree as xml  # noqa: S405 - elements that defusedxml has parsed

from nb_catalog.copydecks import placeholders

# Codes that stand for something without text of its own. Those of XLIFF 1.2 are x, bx, ex; of 2.0 ph, sc,
# ec, sm, em, cp. In 1.2 ph, bpt, ept and it contain the code itself, which is not text either.
_CODES: Final = frozenset({"x", "bx", "ex", "ph", "bpt", "ept", "it", "sc", "ec", "sm", "em"})
_LINE_BREAKS: Final = frozenset({"lb", "x-br", "x-html-br", "fmt:lb", "xlf:lb"})


def inline_codes(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (literal before it, id, placeholder) for each placeholder in ``text``, then the literal end.

    Ids of inline elements are unique in their unit (section 2.4.2): price, price.2. A text that is not
    valid is a literal as a whole.
    """
    try:
        parts = placeholders.parts(text)
    except ValueError:
        yield text, "", ""
        return
    seen: Counter[str] = Counter()
    for part in parts:
        literal = part.literal.replace("{", "{{").replace("}", "}}")
        if not part.name:
            yield literal, "", ""
            continue
        seen[part.name] += 1
        number = seen[part.name]
        inline_id = part.name if number == 1 else f"{part.name}.{number}"
        yield literal, inline_id, part.placeholder


def text_of(element: xml.Element | None, *, codes: Mapping[str, str]) -> tuple[str, int]:
    """Return the text of ``element`` and the number of codes in it that are neither a placeholder nor a
    line break, and are left out.

    Elements around text are flattened: only their text stays. ``codes`` are the placeholders by the id
    of their inline element, for tools that return nothing else.
    """
    if element is None:
        return "", 0
    pieces: list[str] = []
    dropped = 0
    for text, code in _pieces(element):
        if code is None:
            pieces.append(text)
        else:
            placeholder = _placeholder(code, codes=codes)
            pieces.append(placeholder or "")
            dropped += placeholder is None
    return "".join(pieces).strip(), dropped


def _pieces(element: xml.Element) -> Iterator[tuple[str, xml.Element | None]]:
    """Yield texts, and elements that are codes, in their order."""
    yield element.text or "", None
    # Not recursive: a file may nest elements deeper than Python's stack.
    open_elements = [(iter(element), "")]
    while open_elements:
        children, tail = open_elements[-1]
        child = next(children, None)
        if child is None:
            open_elements.pop()
            yield tail, None
        elif child.tag in _CODES:
            yield "", child
            yield child.tail or "", None
        elif child.tag == "cp":
            # ``<cp hex="0007"/>`` is a character that XML itself cannot hold.
            try:
                character = chr(int(child.get("hex", ""), 16))
            except (ValueError, OverflowError):
                character = "\ufffd"
            yield character, None
            yield child.tail or "", None
        else:
            yield child.text or "", None
            open_elements.append((iter(child), child.tail or ""))


def _placeholder(code: xml.Element, *, codes: Mapping[str, str]) -> str | None:
    """Return the placeholder or the line break that ``code`` stands for; None if it is neither."""
    inline_id = code.get("id", "")
    values = (
        code.get("equiv-text", ""), code.get("equiv", ""), code.get("disp", ""),
        codes.get(inline_id, ""), "".join(code.itertext()),
    )  # fmt: skip
    for value in values:
        try:
            parts = placeholders.parts(value.strip())
        except ValueError:
            continue
        if parts and all(part.name and not part.literal.strip() for part in parts):
            return value.strip()
    kinds = (code.get("ctype", ""), code.get("subType", ""))
    if _LINE_BREAKS.intersection(kinds) or any(each == "\n" for each in values):
        return "\n"
    name = inline_id.partition(".")[0]
    known = {placeholder[1:-1].partition(":")[0] for placeholder in codes.values()}
    return f"{{{name}}}" if name in known else None
