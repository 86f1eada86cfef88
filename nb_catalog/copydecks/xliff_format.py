"""XLIFF 1.2 (OASIS, 2008), which translation tools read: what is translated from and into what.

Values such as {price} are inline elements, which tools keep whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as xml  # noqa: S405 - written with it; read by defusedxml

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]  # ships no hints

from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.types import Cell, DeckTexts
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import DeckRefused

NAMESPACE: Final = "urn:oasis:names:tc:xliff:document:1.2"
MIME_TYPE: Final = "application/x-xliff+xml"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
# Section 3.2.1 of the specification, "state": what a person still has to look at.
_UNSURE: Final = ("needs-", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class XliffFile:
    """What a translator gets: ``source`` and ``target`` are role -> text, ``proposed`` the roles of
    ``target`` that a program has translated. Locales by their codes."""

    deck: str
    source_locale: str
    target_locale: str
    source: Mapping[str, str]
    target: Mapping[str, str] = field(default_factory=dict)
    proposed: frozenset[str] = frozenset()


def as_xliff(sheets: Sequence[XliffFile]) -> bytes:
    """A document with a ``<file>`` for each sheet."""
    root = xml.Element("xliff", version="1.2", xmlns=NAMESPACE)
    for sheet in sheets:
        languages = {
            "source-language": sheet.source_locale,
            "target-language": sheet.target_locale,
        }
        told = {"original": sheet.deck, "datatype": "plaintext", **languages}
        file = xml.SubElement(root, "file", told)
        body = xml.SubElement(file, "body")
        for role, text in sheet.source.items():
            _write_unit(body, sheet, role=role, text=text)
    xml.indent(root)
    written: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _write_unit(body: xml.Element, sheet: XliffFile, *, role: str, text: str) -> None:
    unit = xml.SubElement(body, "trans-unit", {"id": role, f"{_XML}space": "preserve"})
    _write_text(xml.SubElement(unit, "source", {f"{_XML}lang": sheet.source_locale}), text)
    target = xml.SubElement(unit, "target", {f"{_XML}lang": sheet.target_locale})
    _write_text(target, sheet.target.get(role, ""))
    if role in sheet.proposed:
        target.set("state", "needs-review-translation")
        target.set("state-qualifier", "leveraged-mt")
    else:
        target.set("state", "translated" if sheet.target.get(role) else "needs-translation")


def _write_text(element: xml.Element, text: str) -> None:
    """Words as they stand, doubled braces included; each value as an ``<x/>``."""
    last: xml.Element | None = None
    seen: Counter[str] = Counter()
    for piece in placeholders.parts(text):
        literal = piece.literal.replace("{", "{{").replace("}", "}}")
        if last is None:
            element.text = (element.text or "") + literal
        else:
            last.tail = (last.tail or "") + literal
        if piece.name:
            seen[piece.name] += 1
            told = {"id": _once(piece.name, seen[piece.name]), "equiv-text": piece.written}
            last = xml.SubElement(element, "x", told)


def _once(name: str, time: int) -> str:
    """Ids of inline elements are unique in their unit (section 2.4.2): price, price.2."""
    return name if time == 1 else f"{name}.{time}"


def from_xliff(
    data: bytes, *, source_locale: str, source: Mapping[str, str], locales: Sequence[str]
) -> DeckTexts:
    """The translations in a document, for a deck whose texts in ``source_locale`` are ``source``.

    A translation of a text that is another one by now is a proposal, as is one that the file itself
    calls unsure. Raises ``DeckRefused`` with every objection at once.
    """
    root = _parsed(data)
    objections: list[str] = []
    texts: dict[Cell, str] = {}
    proposals: dict[Cell, str] = {}
    for file in _children(root, "file"):
        locale = _locale(file, source_locale=source_locale, locales=locales, objections=objections)
        for unit in file.iter(_tag("trans-unit")) if locale else ():
            role, said = unit.get("id", ""), _text_of(unit, "target")
            if not said:
                continue
            if role not in source:
                objections.append(f"{locale}: there is no text {role!r}.{nearest(role, source)}")
                continue
            objections += _missing_inlines(f"{locale} {role}", source[role], said)
            sure = _text_of(unit, "source") == source[role] and not _is_unsure(unit)
            (texts if sure else proposals)[locale, role] = said
    if objections:
        raise DeckRefused(*objections)
    if not texts and not proposals:
        raise DeckRefused("There is no translation in the file.")
    return DeckTexts(texts=texts, proposals=proposals, tool=_tool(root))


def _parsed(data: bytes) -> xml.Element:
    try:
        # What defusedxml forbids is a ValueError.
        root: xml.Element = fromstring(data, forbid_dtd=True)
    except (xml.ParseError, ValueError) as error:
        raise DeckRefused(f"This is no XLIFF document: {error}.") from error
    if root.tag != _tag("xliff"):
        found = root.get("version") or root.tag
        raise DeckRefused(f"Only XLIFF 1.2 is read, and this is {found!r}. Export it as XLIFF 1.2.")
    return root


def _locale(
    file: xml.Element, *, source_locale: str, locales: Sequence[str], objections: list[str]
) -> str:
    """The locale by the shop's own code; "" with an objection where it has none."""
    codes = {_plain(code): code for code in locales}
    given, target = file.get("source-language", ""), file.get("target-language", "")
    if _plain(given) != _plain(source_locale):
        objections.append(
            f"The file translates from {given!r}, and the deck is written in {source_locale!r}."
        )
    elif _plain(target) == _plain(source_locale):
        objections.append(f"The file translates {target!r} into itself.")
    elif _plain(target) in codes:
        return codes[_plain(target)]
    else:
        objections.append(f"There is no language {target!r}.{nearest(target, locales)}")
    return ""


def _plain(code: str) -> str:
    """Tools write "pt-BR" and "pt_BR" for "pt-br"."""
    return code.replace("_", "-").lower()


def _text_of(unit: xml.Element, kind: str) -> str:
    element = unit.find(_tag(kind))
    return "" if element is None else "".join(_pieces(element)).strip()


def _pieces(element: xml.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag == _tag("x"):
            yield child.get("equiv-text") or f"{{{child.get('id', '').partition('.')[0]}}}"
        else:
            yield from _pieces(child)
        yield child.tail or ""


def _missing_inlines(where: str, source: str, target: str) -> Iterator[str]:
    try:
        names = placeholders.names(target)
    except ValueError as error:
        yield f"{where}: {error}"
        return
    for name in placeholders.names(source):
        if name not in names:
            yield f"{where}: the translation {target!r} has lost {{{name}}}."


def _is_unsure(unit: xml.Element) -> bool:
    target = unit.find(_tag("target"))
    return target is not None and target.get("state", "").startswith(_UNSURE)


def _tool(root: xml.Element) -> str:
    tool = root.find(f".//{_tag('tool')}")
    return "" if tool is None else tool.get("tool-name", "")


def _children(element: xml.Element, name: str) -> Sequence[xml.Element]:
    return element.findall(_tag(name))


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
