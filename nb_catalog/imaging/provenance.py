"""Who made the picture: the IPTC mark, computed from the lineage, written as XMP and read back."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from typing import Final
from xml.sax.saxutils import quoteattr

from defusedxml import ElementTree  # type: ignore[import-untyped]  # ships no hints
from PIL import AvifImagePlugin

from nb_catalog.imaging import containers

# https://cv.iptc.org/newscodes/digitalsourcetype/
VOCABULARY: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
IPTC_EXT: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
XMP: Final = "http://ns.adobe.com/xap/1.0/"

XMP_IN_JPEG: Final = b"http://ns.adobe.com/xap/1.0/\0"
XMP_IN_PNG: Final = b"XML:com.adobe.xmp\0"
# The packet that is read is bounded: a few KB of text can unpack to gigabytes.
MAX_XMP_BYTES: Final = 4 * 2**20

# C2PA 2.1, "Embedding manifests into various file formats".
C2PA_UUID_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
JPEG_APP1: Final = 0xE1
JPEG_APP11: Final = 0xEB


class DigitalSourceType(StrEnum):
    """The IPTC terms this project uses. The value is the term; order is from least to most AI."""

    CAPTURE = "digitalCapture"
    CREATION = "digitalCreation"
    ALGORITHMIC = "algorithmicMedia"
    COMPOSITE_WITH_MODEL = "compositeWithTrainedAlgorithmicMedia"
    MODEL = "trainedAlgorithmicMedia"

    @property
    def uri(self) -> str:
        """As it stands in XMP."""
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


def of_lineage(
    *,
    model_drew_ground: bool,
    model_drew_product: bool,
    typeset: bool = False,
    procedural: bool = False,
) -> DigitalSourceType:
    """The term that says most about how much of the picture a machine made.

    ``model_drew_ground``: a trained model painted the surroundings of a real product.
    ``model_drew_product``: it painted the product, or all. ``procedural``: surroundings computed
    without a model. ``typeset``: text was set on it. With none of them it is the photo itself.
    """
    if model_drew_product:
        return DigitalSourceType.MODEL
    if model_drew_ground:
        return DigitalSourceType.COMPOSITE_WITH_MODEL
    if procedural:
        return DigitalSourceType.ALGORITHMIC
    return DigitalSourceType.CREATION if typeset else DigitalSourceType.CAPTURE


def strongest(*terms: DigitalSourceType) -> DigitalSourceType:
    """The one of ``terms`` that tells of the most AI: what a picture made from several inherits.

    Raises ``ValueError`` without any.
    """
    return max(terms, key=list(DigitalSourceType).index)


def xmp_packet(
    term: DigitalSourceType, *, creator_tool: str = "nb_catalog", credit: str = ""
) -> bytes:
    """An XMP packet that carries ``term``, for ``encode.encode(xmp=...)``.

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
        f" {name}={quoteattr(_printable(value))}"
        for name, value in properties.items()
        if value or name == "rdf:about"
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f"<rdf:Description{attributes}/>"
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _printable(text: str) -> str:
    """``text`` without the characters that XML 1.0 has no way to write."""
    return "".join(
        char
        for char in text
        if char in "\t\n\r"
        or ("\x20" <= char < "\ufffe" and not "\ud800" <= char <= "\udfff")
        or char >= "\U00010000"
    )


def read_mark(data: bytes) -> DigitalSourceType | None:
    """The mark in a JPEG, PNG, WebP or AVIF file; None without one, or with one that we do not
    know or cannot read. No pixel is decoded.
    """
    packet = _xmp_in(data)
    if packet is None:
        return None
    for uri in _source_types(packet):
        term = uri.strip().rpartition("/")[2]
        if term in KNOWN_TERMS:
            return DigitalSourceType(term)
    return None


def _source_types(packet: bytes) -> Iterator[str]:
    """XMP may write a property as an attribute, as an element, or as a reference."""
    name = f"{{{IPTC_EXT}}}DigitalSourceType"
    try:
        root = ElementTree.fromstring(packet.strip(b"\0"), forbid_dtd=True)
    except (SyntaxError, ValueError, LookupError):
        # expat's ParseError is a SyntaxError, what defusedxml forbids a ValueError, an encoding
        # that nobody knows a LookupError.
        return
    for element in root.iter():
        if name in element.attrib:
            yield element.attrib[name]
        if element.tag == name:
            yield element.attrib.get(f"{{{RDF}}}resource") or element.text or ""


def _xmp_in(data: bytes) -> bytes | None:
    match containers.sniff(data):
        case "image/jpeg":
            packets = (
                content.removeprefix(XMP_IN_JPEG)
                for marker, content in containers.jpeg_segments(data)
                if marker == JPEG_APP1 and content.startswith(XMP_IN_JPEG)
            )
        case "image/png":
            packets = (
                _text_of_itxt(content)
                for kind, content in containers.png_chunks(data)
                if kind == b"iTXt" and content.startswith(XMP_IN_PNG)
            )
        case "image/webp":
            packets = (c for kind, c in containers.riff_chunks(data) if kind == b"XMP ")
        case "image/avif":
            return _xmp_in_avif(data)
        case _:
            return None
    return next(packets, None)


def _text_of_itxt(content: bytes) -> bytes:
    """PNG 11.3.4.5: keyword, NUL, compressed?, method, language, NUL, translated keyword, NUL, text."""
    compressed = content[len(XMP_IN_PNG) : len(XMP_IN_PNG) + 1] == b"\1"
    text = content[len(XMP_IN_PNG) + 2 :].split(b"\0", 2)[-1]
    if not compressed:
        return text
    try:
        return zlib.decompressobj().decompress(text, MAX_XMP_BYTES)
    except zlib.error:
        return b""


def _xmp_in_avif(data: bytes) -> bytes | None:
    # The packet is an item that the meta box points to; libavif follows it without decoding.
    try:
        with AvifImagePlugin.AvifImageFile(BytesIO(data)) as image:
            packet = image.info.get("xmp")
    except (OSError, ValueError, SyntaxError, RuntimeError):
        return None
    return packet if isinstance(packet, bytes) else None


def has_c2pa(data: bytes) -> bool:
    """Whether a C2PA manifest store stands where PNG, JPEG, WebP or AVIF keep it.

    It says that one is there, not that its signature holds.
    """
    match containers.sniff(data):
        case "image/png":
            return any(kind == b"caBX" for kind, _ in containers.png_chunks(data))
        case "image/jpeg":
            return any(
                marker == JPEG_APP11 and _begins_c2pa_store(content)
                for marker, content in containers.jpeg_segments(data)
            )
        case "image/webp":
            return any(kind == b"C2PA" for kind, _ in containers.riff_chunks(data))
        case "image/avif":
            return any(
                kind == b"uuid" and content.startswith(C2PA_UUID_BOX)
                for kind, content in containers.boxes(data)
            )
        case _:
            return False


def _begins_c2pa_store(segment: bytes) -> bool:
    """ISO 19566-5, annex D: "JP", box number, packet number; then the superbox and its description,
    whose type begins with the letters c2pa.
    """
    superbox, description = segment[8:], segment[16:]
    return (
        segment.startswith(b"JP")
        and superbox[4:8] == b"jumb"
        and description[4:8] == b"jumd"
        and description[8:12] == b"c2pa"
    )
