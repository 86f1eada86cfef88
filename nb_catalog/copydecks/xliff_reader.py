"""Reads XLIFF 1.2 and 2.x as translation tools return it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as xml  # noqa: S405 - elements that defusedxml has parsed

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]  # ships no hints
from django.utils.translation import gettext as _

from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.types import Cell, DeckTexts
from nb_catalog.copydecks.xliff_inline import inline_codes, text_of
from nb_catalog.core.locales import are_same, find_locale
from nb_catalog.core.text import nearest, shorten
from nb_catalog.exceptions import DeckRefused

_NAMESPACES: Final = "urn:oasis:names:tc:xliff:document:"
# XLIFF 1.2, section 3.2.1, "state", and XLIFF 2.1, 4.7.4: what a person still has to review.
_UNSURE: Final = ("needs-", "new", "initial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One text of a file. ``role`` is the id of its unit, ``name`` what the tool calls it.

    ``doubt`` is the mark of the file that a person still has to review the translation.
    """

    role: str
    name: str
    source: xml.Element | None
    target: xml.Element | None
    doubt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    source_locale: str
    target_locale: str
    units: Sequence[Unit]


def from_xliff(
    data: bytes, *, source_locale: str, source: Mapping[str, str], locales: Sequence[str]
) -> DeckTexts:
    """Return the translations in a document, for a deck whose texts in ``source_locale`` are ``source``.

    A translation of a text that has changed since is a proposal, as is one that the file itself marks
    as unsure; their notes say so. Raises ``DeckRefused`` with every objection at once.
    """
    root = _parse(data)
    reading = _Reading(source=source)
    for file in _files(root):
        locale = reading.locale_of(file, source_locale=source_locale, locales=locales)
        for unit in file.units if locale else ():
            reading.add(unit, locale)
    if reading.objections:
        raise DeckRefused(*reading.objections)
    if not reading.texts and not reading.proposals:
        raise DeckRefused(_("There is no translation in the file."))
    tool = root.find(".//tool")
    return DeckTexts(
        texts=reading.texts,
        proposals=reading.proposals,
        notes=reading.notes,
        warnings=tuple(reading.warnings),
        tool="" if tool is None else tool.get("tool-name", ""),
    )


class _Reading:
    """What has been found in a document so far."""

    def __init__(self, *, source: Mapping[str, str]) -> None:
        self.source = source
        self.texts: dict[Cell, str] = {}
        self.proposals: dict[Cell, str] = {}
        self.notes: dict[Cell, str] = {}
        self.warnings: list[str] = []
        self.objections: list[str] = []

    def locale_of(self, file: _File, *, source_locale: str, locales: Sequence[str]) -> str:
        """Return the target as one of ``locales``; "", and an objection, if it is not one."""
        named = {"source": file.source_locale, "target": file.target_locale, "own": source_locale}
        if find_locale(file.source_locale, [source_locale]) != source_locale:
            message = _("The file translates from %(source)r, and the deck is written in %(own)r.")
            self.objections.append(message % named)
            return ""
        if are_same(file.target_locale, source_locale):
            self.objections.append(_("The file translates %(target)r into itself.") % named)
            return ""
        found = find_locale(file.target_locale, [each for each in locales if each != source_locale])
        if not found:
            message = _("There is no language %(name)r.") % {"name": file.target_locale}
            self.objections.append(message + nearest(file.target_locale, locales))
        elif not are_same(found, file.target_locale):
            message = _("The language %(name)r is taken for %(code)r.")
            self.warnings.append(message % {"name": file.target_locale, "code": found})
        return found

    def add(self, unit: Unit, locale: str) -> None:
        """Sort the translation of ``unit``, if it has one, into texts, proposals or objections."""
        role = unit.role if unit.role in self.source or not unit.name else unit.name
        source = self.source.get(role, "")
        codes = {code: placeholder for _literal, code, placeholder in inline_codes(source) if code}
        text, dropped = text_of(unit.target, codes=codes)
        if not text:
            return
        where = f"{locale} {role}"
        if role not in self.source:
            message = _("there is no text %(role)r.") % {"role": role}
            self.objections.append(f"{locale}: {message}{nearest(role, self.source)}")
            return
        if (locale, role) in self.texts or (locale, role) in self.proposals:
            twice = _("the file has it twice.")
            self.objections.append(f"{where}: {twice}")
            return
        original, _dropped = text_of(unit.source, codes=codes)
        is_current = " ".join(original.split()) == " ".join(source.split())
        translated = source if is_current or not original else original
        self.objections += [
            f"{where}: {each}"
            for each in _placeholder_objections(text, of=translated, today=source)
        ]
        if dropped:
            message = _("%(count)s inline codes that are not values are left out.")
            self.warnings.append(f"{where}: {message % {'count': dropped}}")
        if is_current and not unit.doubt:
            self.texts[locale, role] = text
            return
        self.proposals[locale, role] = text
        if not is_current:
            note = _("The source text has changed: “%(old)s” was translated.")
            lost = [f"{{{name}}}" for name in _names(source) if name not in _names(text)]
            more = _("It lacks %(names)s.") % {"names": ", ".join(lost)} if lost else ""
            self.notes[locale, role] = f"{note % {'old': shorten(original, 160)}} {more}".strip()
        else:
            note = _("The file marks it as %(mark)r.")
            self.notes[locale, role] = note % {"mark": unit.doubt}


def _placeholder_objections(text: str, *, of: str, today: str) -> Iterator[str]:
    """Yield what is wrong with the values in ``text``, a translation of ``of``, which is ``today`` now.

    It must have those of the text that was translated, and may have those of today's.
    """
    try:
        names = placeholders.names(text)
    except ValueError as error:
        yield str(error)
        return
    wanted, known = _names(of), {*_names(of), *_names(today)}
    for name in wanted:
        if name not in names:
            message = _("the translation %(text)r has lost %(name)s.")
            yield message % {"text": text, "name": f"{{{name}}}"}
    for name in names:
        if name not in known:
            message = _("the translation %(text)r has %(name)s, and its source does not.")
            yield message % {"text": text, "name": f"{{{name}}}"} + nearest(name, known)


def _names(text: str) -> list[str]:
    """Return the names of the values in ``text``; none if it is not valid."""
    try:
        return placeholders.names(text)
    except ValueError:
        return []


def _parse(data: bytes) -> xml.Element:
    """Return the root of a document, with the plain names of XLIFF's elements."""
    try:
        # What defusedxml forbids is a ValueError, an encoding that Python does not have a LookupError.
        root: xml.Element = fromstring(data, forbid_dtd=True)
    except (xml.ParseError, ValueError, LookupError) as error:
        message = _("This is not an XLIFF document: %(error)s.") % {"error": error}
        raise DeckRefused(message) from error
    for element in root.iter():
        namespace, _brace, name = element.tag.rpartition("}")
        if namespace.startswith(f"{{{_NAMESPACES}"):
            element.tag = name
    version = root.get("version") or root.tag
    if root.tag != "xliff" or not version.startswith(("1.2", "2.")):
        message = _("Only XLIFF 1.2 and 2 are read, not %(version)r. Export the file as XLIFF 1.2.")
        raise DeckRefused(message % {"version": version})
    return root


def _files(root: xml.Element) -> Iterator[_File]:
    if root.get("version", "").startswith("2."):
        for file in root.iter("file"):
            yield _File(
                source_locale=root.get("srcLang", ""),
                target_locale=root.get("trgLang", ""),
                units=[*map(_unit_2, file.iter("unit"))],
            )
        return
    for file in root.iter("file"):
        yield _File(
            source_locale=file.get("source-language", ""),
            target_locale=file.get("target-language", ""),
            units=[*map(_unit_1, file.iter("trans-unit"))],
        )


def _unit_1(unit: xml.Element) -> Unit:
    target = unit.find("target")
    state = "" if target is None else target.get("state", "")
    is_unapproved = unit.get("approved", "") == "no"
    return Unit(
        role=unit.get("id", ""),
        name=unit.get("resname", ""),
        source=unit.find("source"),
        target=target,
        doubt='approved="no"' if is_unapproved else state if state.startswith(_UNSURE) else "",
    )


def _unit_2(unit: xml.Element) -> Unit:
    """Return a unit of XLIFF 2, whose segments are joined to one text."""
    data = {each.get("id", ""): "".join(each.itertext()) for each in unit.iter("data")}
    doubts = []
    joined = {name: xml.Element(name) for name in ("source", "target")}
    for segment in unit:
        if segment.tag not in ("segment", "ignorable"):
            continue
        for name, whole in joined.items():
            part = segment.find(name)
            if part is None and segment.tag == "ignorable":
                part = segment.find("source")  # white space between segments
            if part is not None:
                part.tag = "mrk"
                whole.append(part)
        states = (segment.get("state", ""), segment.get("subState", "").rpartition(":")[2])
        has_target = len(joined["target"]) > 0
        doubts += [each for each in states if has_target and each.startswith(_UNSURE)]
    for code in unit.iter("ph"):
        if not code.get("equiv") and code.get("dataRef") in data:
            code.set("equiv", data[code.get("dataRef", "")])
    return Unit(
        role=unit.get("id", ""),
        name=unit.get("name", ""),
        source=joined["source"],
        target=joined["target"],
        doubt=doubts[0] if doubts else "",
    )
