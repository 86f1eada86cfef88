"""XLIFF 1.2 (OASIS, 2008) of a deck's texts and their translations, for translation tools.

Placeholders such as {price} are inline elements, which tools do not break.
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
# Section 3.2.1 of the specification, "state": what a person still has to review.
_UNSURE: Final = ("needs-", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class XliffFile:
    """One ``<file>``: ``source`` and ``target`` are role -> text, locales are codes.

    ``proposed`` are the roles of ``target`` that a program has translated.
    """

    deck: str
    source_locale: str
    target_locale: str
    source: Mapping[str, str]
    target: Mapping[str, str] = field(default_factory=dict)
    proposed: frozenset[str] = frozenset()


def as_xliff(files: Sequence[XliffFile]) -> bytes:
    """Return a document with a ``<file>`` for each of ``files``."""
    root = xml.Element("xliff", version="1.2", xmlns=NAMESPACE)
    for file in files:
        attributes = {
            "original": file.deck,
            "datatype": "plaintext",
            "source-language": file.source_locale,
            "target-language": file.target_locale,
        }
        body = xml.SubElement(xml.SubElement(root, "file", attributes), "body")
        for role, text in file.source.items():
            unit = xml.SubElement(body, "trans-unit", {"id": role, f"{_XML}space": "preserve"})
            _write_text(xml.SubElement(unit, "source", {f"{_XML}lang": file.source_locale}), text)
            target = xml.SubElement(unit, "target", {f"{_XML}lang": file.target_locale})
            _write_text(target, file.target.get(role, ""))
            if role in file.proposed:
                target.set("state", "needs-review-translation")
                target.set("state-qualifier", "leveraged-mt")
            else:
                target.set("state", "translated" if file.target.get(role) else "needs-translation")
    xml.indent(root)
    document: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _write_text(element: xml.Element, text: str) -> None:
    """Write ``text`` into ``element``, doubled braces included; each placeholder as an ``<x/>``."""
    last: xml.Element | None = None
    seen: Counter[str] = Counter()
    for part in placeholders.parts(text):
        literal = part.literal.replace("{", "{{").replace("}", "}}")
        if last is None:
            element.text = (element.text or "") + literal
        else:
            last.tail = (last.tail or "") + literal
        if part.name:
            seen[part.name] += 1
            # Ids of inline elements are unique in their unit (section 2.4.2): price, price.2.
            number = seen[part.name]
            inline_id = part.name if number == 1 else f"{part.name}.{number}"
            attributes = {"id": inline_id, "equiv-text": part.placeholder}
            last = xml.SubElement(element, "x", attributes)


def from_xliff(
    data: bytes, *, source_locale: str, source: Mapping[str, str], locales: Sequence[str]
) -> DeckTexts:
    """Return the translations in a document, for a deck whose texts in ``source_locale`` are ``source``.

    A translation of a text that has changed since is a proposal, as is one that the file itself marks
    as unsure. Raises ``DeckRefused`` with every objection at once.
    """
    root = _parse(data)
    objections: list[str] = []
    texts: dict[Cell, str] = {}
    proposals: dict[Cell, str] = {}
    for file in root.findall(_tag("file")):
        locale = _locale(file, source_locale=source_locale, locales=locales, objections=objections)
        for unit in file.iter(_tag("trans-unit")) if locale else ():
            role, target = unit.get("id", ""), unit.find(_tag("target"))
            text = _text_of(target)
            if target is None or not text:
                continue
            if role not in source:
                objections.append(f"{locale}: there is no text {role!r}.{nearest(role, source)}")
                continue
            objections += _placeholder_objections(f"{locale} {role}", source[role], text)
            is_unsure = target.get("state", "").startswith(_UNSURE)
            is_current = _text_of(unit.find(_tag("source"))) == source[role]
            (texts if is_current and not is_unsure else proposals)[locale, role] = text
    if objections:
        raise DeckRefused(*objections)
    if not texts and not proposals:
        raise DeckRefused("There is no translation in the file.")
    tool = root.find(f".//{_tag('tool')}")
    return DeckTexts(
        texts=texts,
        proposals=proposals,
        tool="" if tool is None else tool.get("tool-name", ""),
    )


def _parse(data: bytes) -> xml.Element:
    try:
        # What defusedxml forbids is a ValueError.
        root: xml.Element = fromstring(data, forbid_dtd=True)
    except (xml.ParseError, ValueError) as error:
        raise DeckRefused(f"This is not an XLIFF document: {error}.") from error
    if root.tag != _tag("xliff"):
        version = root.get("version") or root.tag
        raise DeckRefused(
            f"Only XLIFF 1.2 is supported, not {version!r}. Export the file as XLIFF 1.2."
        )
    return root


def _locale(
    file: xml.Element, *, source_locale: str, locales: Sequence[str], objections: list[str]
) -> str:
    """Return the target as one of ``locales``; "", and an objection, if it is not one."""
    codes = {_normalize(code): code for code in locales}
    source, target = file.get("source-language", ""), file.get("target-language", "")
    if _normalize(source) != _normalize(source_locale):
        objections.append(
            f"The file translates from {source!r}, and the deck is written in {source_locale!r}."
        )
    elif _normalize(target) == _normalize(source_locale):
        objections.append(f"The file translates {target!r} into itself.")
    elif _normalize(target) in codes:
        return codes[_normalize(target)]
    else:
        objections.append(f"There is no language {target!r}.{nearest(target, locales)}")
    return ""


def _normalize(code: str) -> str:
    """Tools write "pt-BR" and "pt_BR" for "pt-br"."""
    return code.replace("_", "-").lower()


def _text_of(element: xml.Element | None) -> str:
    return "" if element is None else "".join(_pieces(element)).strip()


def _pieces(element: xml.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag == _tag("x"):
            yield child.get("equiv-text") or f"{{{child.get('id', '').partition('.')[0]}}}"
        else:
            yield from _pieces(child)
        yield child.tail or ""


def _placeholder_objections(where: str, source: str, target: str) -> Iterator[str]:
    try:
        names = placeholders.names(target)
    except ValueError as error:
        yield f"{where}: {error}"
        return
    for name in placeholders.names(source):
        if name not in names:
            yield f"{where}: the translation {target!r} has lost {{{name}}}."


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
