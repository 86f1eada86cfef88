"""XLIFF 1.2 (OASIS, 2008) of a deck's texts and their translations, for translation tools.

Placeholders such as {price} are inline elements, which tools do not break. ``xliff_reader`` reads files back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree as xml  # noqa: S405 - written with it; read by defusedxml

from nb_catalog.copydecks.xliff_inline import inline_codes
from nb_catalog.copydecks.xliff_reader import from_xliff
from nb_catalog.core.text import strip_unstorable

__all__ = ["MIME_TYPE", "NAMESPACE", "XliffFile", "as_xliff", "from_xliff"]

NAMESPACE: Final = "urn:oasis:names:tc:xliff:document:1.2"
MIME_TYPE: Final = "application/x-xliff+xml"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
# XML has no such characters, not even escaped.
_NOT_IN_XML: Final = str.maketrans("", "", "\ufffe\uffff")


@dataclass(frozen=True, slots=True, kw_only=True)
class XliffFile:
    """One ``<file>``: ``source`` and ``target`` are role -> text, locales are codes.

    ``proposed`` are the roles of ``target`` that a program has translated, ``notes`` what a translator
    should know of a role, and ``limits`` the characters that fit. ``picture`` is the address of a
    picture that shows the texts.
    """

    deck: str
    source_locale: str
    target_locale: str
    source: Mapping[str, str]
    target: Mapping[str, str] = field(default_factory=dict)
    proposed: frozenset[str] = frozenset()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    picture: str = ""


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
        element = xml.SubElement(root, "file", attributes)
        if file.picture:
            reference = xml.SubElement(xml.SubElement(element, "header"), "reference")
            xml.SubElement(reference, "external-file", href=file.picture)
        body = xml.SubElement(element, "body")
        for role, text in file.source.items():
            of_unit = {"id": role, "resname": role, f"{_XML}space": "preserve"}
            if role in file.limits:
                of_unit |= {"maxwidth": str(file.limits[role]), "size-unit": "char"}
            unit = xml.SubElement(body, "trans-unit", of_unit)
            _write_text(xml.SubElement(unit, "source", {f"{_XML}lang": file.source_locale}), text)
            target = xml.SubElement(unit, "target", {f"{_XML}lang": file.target_locale})
            _write_text(target, file.target.get(role, ""))
            if role in file.proposed:
                target.set("state", "needs-review-translation")
                target.set("state-qualifier", "leveraged-mt")
            else:
                target.set("state", "translated" if file.target.get(role) else "needs-translation")
            for note in file.notes.get(role, ()):
                xml.SubElement(unit, "note", {"from": "nb_catalog"}).text = _in_xml(note)
            if file.picture:
                group = xml.SubElement(unit, "context-group", purpose="information")
                context = xml.SubElement(group, "context", {"context-type": "x-picture"})
                context.text = file.picture
    _indent(root)
    document: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _write_text(element: xml.Element, text: str) -> None:
    """Write ``text`` into ``element``, doubled braces included; each placeholder as an ``<x/>``."""
    last: xml.Element | None = None
    for literal, inline_id, placeholder in inline_codes(_in_xml(text)):
        if last is None:
            element.text = (element.text or "") + literal
        else:
            last.tail = (last.tail or "") + literal
        if inline_id:
            last = xml.SubElement(element, "x", {"id": inline_id, "equiv-text": placeholder})


def _in_xml(text: str) -> str:
    """Return ``text`` without characters that XML cannot hold; parsers would turn a lone CR into LF."""
    return strip_unstorable(text).replace("\r", "\n").translate(_NOT_IN_XML)


# Elements whose children are elements alone: white space between these is not part of a text.
_STRUCTURE: Final = frozenset(
    {"xliff", "file", "header", "reference", "body", "trans-unit", "context-group"}
)


def _indent(element: xml.Element, depth: int = 1) -> None:
    """Put each structural element on a line of its own. White space inside texts stays as it is."""
    if element.tag not in _STRUCTURE or not len(element):
        return
    element.text = "\n" + "  " * depth
    for child in element:
        _indent(child, depth + 1)
        child.tail = "\n" + "  " * depth
    element[-1].tail = "\n" + "  " * (depth - 1)
