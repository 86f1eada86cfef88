"""Provenance of a picture: the IPTC digital source type, written as XMP and read back."""

from __future__ import annotations

import re
import struct
from enum import StrEnum
from typing import Final
from xml.sax.saxutils import quoteattr

from defusedxml import ElementTree  # type: ignore[import-untyped]  # ships no hints

from nb_catalog.imaging import containers
from nb_catalog.imaging.formats import heif, jpeg, png, webp

# https://cv.iptc.org/newscodes/digitalsourcetype/
VOCABULARY: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
IPTC_EXT: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
XMP: Final = "http://ns.adobe.com/xap/1.0/"

# UUID of the box that holds a C2PA manifest store (C2PA 2.1, "Embedding manifests").
C2PA_UUID_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# XML 1.0, section 2.2: characters that a document cannot contain, not even escaped.
NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
JPEG_APP11: Final = 0xEB
# ISO 19566-5, annex D: "JP", box number, packet number; then the superbox and its description box,
# each with its length first, whose type begins with the letters c2pa.
JPEG_C2PA_STORE: Final = re.compile(rb"JP.{6}.{4}jumb.{4}jumdc2pa", re.DOTALL)


class DigitalSourceType(StrEnum):
    """The IPTC terms this project uses, from least to most AI. The value is the term."""

    CAPTURE = "digitalCapture"
    COMPOSITE = "compositeCapture"
    CREATION = "digitalCreation"
    ALGORITHMIC = "algorithmicMedia"
    COMPOSITE_WITH_MODEL = "compositeWithTrainedAlgorithmicMedia"
    MODEL = "trainedAlgorithmicMedia"

    @property
    def uri(self) -> str:
        """The full URI, as written in XMP."""
        return VOCABULARY + self.value

    @property
    def schema_org(self) -> str:
        """The member of schema.org's ``IPTCDigitalSourceEnumeration``."""
        return f"{self.value[0].upper()}{self.value[1:]}DigitalSource"

    @property
    def made_with_ai(self) -> bool:
        """Whether a trained model drew any part of the picture."""
        return self in {DigitalSourceType.COMPOSITE_WITH_MODEL, DigitalSourceType.MODEL}


KNOWN_TERMS: Final = frozenset(term.value for term in DigitalSourceType)


def source_type_for(
    *,
    model_drew_background: bool,
    model_drew_product: bool,
    typeset: bool = False,
    procedural: bool = False,
) -> DigitalSourceType:
    """Return the term for how a picture was made; the strongest involvement of a machine wins.

    ``model_drew_background``: a trained model painted the background of a real product.
    ``model_drew_product``: it painted the product, or the whole picture. ``procedural``: the
    background was computed without a model. ``typeset``: text was set on it. Without any of them
    it is the photo itself.
    """
    if model_drew_product:
        return DigitalSourceType.MODEL
    if model_drew_background:
        return DigitalSourceType.COMPOSITE_WITH_MODEL
    if procedural:
        return DigitalSourceType.ALGORITHMIC
    return DigitalSourceType.CREATION if typeset else DigitalSourceType.CAPTURE


def strongest(*terms: DigitalSourceType) -> DigitalSourceType:
    """Return the one of ``terms`` with the most AI, which a picture made from several inherits.

    Raises ``ValueError`` without any terms.
    """
    return max(terms, key=list(DigitalSourceType).index)


def xmp_packet(
    term: DigitalSourceType, *, creator_tool: str = "nb_catalog", credit: str = ""
) -> bytes:
    """Return an XMP packet that contains ``term``, for ``encode.encode(xmp=...)``.

    ISO 16684-1 for the wrapper, IPTC Photo Metadata 2023.2 for ``DigitalSourceType``.
    """
    properties = {
        "xmlns:Iptc4xmpExt": IPTC_EXT,
        "xmlns:photoshop": PHOTOSHOP,
        "xmlns:xmp": XMP,
        "rdf:about": "",
        "Iptc4xmpExt:DigitalSourceType": term.uri,
        "xmp:CreatorTool": creator_tool,
        "photoshop:Credit": credit,
    }
    attributes = "".join(
        f" {name}={quoteattr(NOT_IN_XML.sub('', value))}"
        for name, value in properties.items()
        if value or name == "rdf:about"
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f"<rdf:Description{attributes}/>"
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def read_mark(data: bytes) -> DigitalSourceType | None:
    """Return the mark of a JPEG, PNG, WebP or AVIF file without decoding a pixel.

    Returns None if there is no mark, or one that is unknown or unreadable. A packet of more than a
    megabyte is not read: it would take gigabytes of memory.
    """
    mime_type = containers.sniff(data)
    if mime_type is None:
        return None
    try:
        packet = containers.take_apart(data, mime_type=mime_type).xmp.strip(b"\0")
        marks = _Marks()
        parser = ElementTree.DefusedXMLParser(target=marks, forbid_dtd=True)
        parser.feed(packet)
        parser.close()
    except (SyntaxError, ValueError, LookupError, struct.error):
        # expat's ParseError is a SyntaxError, what defusedxml forbids a ValueError, an unknown
        # encoding a LookupError; the others are those of damaged files.
        return None
    terms = (uri.strip().rpartition("/")[2] for uri in marks.uris)
    return next((DigitalSourceType(term) for term in terms if term in KNOWN_TERMS), None)


class _Marks:
    """Collects the values of the property while a packet is parsed, instead of a tree of elements."""

    NAME: Final = f"{{{IPTC_EXT}}}DigitalSourceType"

    def __init__(self) -> None:
        self.uris: list[str] = []
        self.is_inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        # XMP may write a property as an attribute, as an element, or as a reference.
        self.uris.append(attributes.get(self.NAME, ""))
        self.is_inside = tag == self.NAME
        if self.is_inside:
            self.uris.append(attributes.get(f"{{{RDF}}}resource", ""))
            self.uris.append("")

    def data(self, text: str) -> None:
        if self.is_inside:
            self.uris[-1] += text

    def end(self, tag: str) -> None:
        self.is_inside = False

    def close(self) -> None:
        """Called by the parser at the end of the packet."""


def has_c2pa(data: bytes) -> bool:
    """Return whether a PNG, JPEG, WebP or AVIF file contains a C2PA manifest store.

    Its signature is not verified.
    """
    try:
        match containers.sniff(data):
            case "image/png":
                return any(
                    kind == b"caBX" and end <= len(data) for kind, _, end in png.chunks(data)
                )
            case "image/jpeg":
                return any(
                    marker == JPEG_APP11 and JPEG_C2PA_STORE.match(data[at + 4 : min(end, at + 64)])
                    for marker, at, end in jpeg.segments(data)
                )
            case "image/webp":
                return any(
                    kind == b"C2PA" and end <= len(data) for kind, _, end in webp.chunks(data)
                )
            case "image/avif":
                return any(
                    kind == b"uuid" and data.startswith(C2PA_UUID_BOX, at) and end <= len(data)
                    for kind, at, end in heif.boxes(data)
                )
            case _:
                return False
    except ValueError:  # more parts than any picture needs
        return False
