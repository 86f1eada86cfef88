"""Provenance of a picture: the IPTC digital source type, written as XMP and read back."""

from __future__ import annotations

import re
import zlib
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
# Limit for reading a packet: a few KB of compressed text can unpack to gigabytes.
MAX_XMP_BYTES: Final = 4 * 2**20

# UUID of the box that holds a C2PA manifest store (C2PA 2.1, "Embedding manifests").
C2PA_UUID_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# XML 1.0, section 2.2: characters that a document cannot contain, not even escaped.
NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
JPEG_APP1: Final = 0xE1
JPEG_APP11: Final = 0xEB
# ISO 19566-5, annex D: "JP", box number, packet number; then the superbox and its description box,
# each with its length first, whose type begins with the letters c2pa.
JPEG_C2PA_STORE: Final = re.compile(rb"JP.{6}.{4}jumb.{4}jumdc2pa", re.DOTALL)


class DigitalSourceType(StrEnum):
    """The IPTC terms this project uses, from least to most AI. The value is the term."""

    CAPTURE = "digitalCapture"
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

    Returns None if there is no mark, or one that is unknown or unreadable.
    """
    packet = _find_xmp(data)
    if packet is None:
        return None
    try:
        root = ElementTree.fromstring(packet.strip(b"\0"), forbid_dtd=True)
    except (SyntaxError, ValueError, LookupError):
        # expat's ParseError is a SyntaxError, what defusedxml forbids a ValueError, an unknown
        # encoding a LookupError.
        return None
    name = f"{{{IPTC_EXT}}}DigitalSourceType"
    for element in root.iter():
        # XMP may write a property as an attribute, as an element, or as a reference.
        uris = [element.attrib.get(name, "")]
        if element.tag == name:
            uris.append(element.attrib.get(f"{{{RDF}}}resource") or element.text or "")
        for uri in uris:
            term = uri.strip().rpartition("/")[2]
            if term in KNOWN_TERMS:
                return DigitalSourceType(term)
    return None


def _find_xmp(data: bytes) -> bytes | None:
    match containers.sniff(data):
        case "image/jpeg":
            packets = (
                content.removeprefix(XMP_IN_JPEG)
                for marker, content in containers.jpeg_segments(data)
                if marker == JPEG_APP1 and content.startswith(XMP_IN_JPEG)
            )
        case "image/png":
            for kind, content in containers.png_chunks(data):
                if kind == b"iTXt" and content.startswith(XMP_IN_PNG):
                    # PNG 11.3.4.5: keyword, NUL, compression flag, method, language, NUL,
                    # translated keyword, NUL, text.
                    rest = content[len(XMP_IN_PNG) :]
                    text = rest[2:].split(b"\0", 2)[-1]
                    if rest[:1] != b"\1":
                        return text
                    try:
                        return zlib.decompressobj().decompress(text, MAX_XMP_BYTES)
                    except zlib.error:
                        return None
            return None
        case "image/webp":
            packets = (c for kind, c in containers.riff_chunks(data) if kind == b"XMP ")
        case "image/avif":
            # The packet is an item that the meta box points to; libavif finds it without decoding.
            try:
                with AvifImagePlugin.AvifImageFile(BytesIO(data)) as image:
                    packet = image.info.get("xmp")
            except (OSError, ValueError, SyntaxError, RuntimeError):
                return None
            return packet if isinstance(packet, bytes) else None
        case _:
            return None
    return next(packets, None)


def has_c2pa(data: bytes) -> bool:
    """Return whether a PNG, JPEG, WebP or AVIF file contains a C2PA manifest store.

    Its signature is not verified.
    """
    match containers.sniff(data):
        case "image/png":
            return any(kind == b"caBX" for kind, _ in containers.png_chunks(data))
        case "image/jpeg":
            return any(
                marker == JPEG_APP11 and JPEG_C2PA_STORE.match(content)
                for marker, content in containers.jpeg_segments(data)
            )
        case "image/webp":
            return any(kind == b"C2PA" for kind, _ in containers.riff_chunks(data))
        case "image/avif":
            return any(
                kind == b"uuid" and content.startswith(C2PA_UUID_BOX)
                for kind, content in containers.iso_boxes(data)
            )
        case _:
            return False
