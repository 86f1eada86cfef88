"""The mark of a picture's origin: computed, written, read back, and never faked by accident."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from xml.etree import ElementTree

import pytest
from PIL import Image

from nb_catalog.imaging import encode, inspect, provenance
from nb_catalog.imaging.provenance import DigitalSourceType
from tests.imaging.pictures import LIMITS, colourful, png_chunk, saved

LINEAGES = [
    ({"model_drew_background": True, "model_drew_product": True}, "trainedAlgorithmicMedia"),
    ({"model_drew_background": False, "model_drew_product": True}, "trainedAlgorithmicMedia"),
    (
        {"model_drew_background": True, "model_drew_product": False, "typeset": True},
        "compositeWithTrainedAlgorithmicMedia",
    ),
    (
        {
            "model_drew_background": False,
            "model_drew_product": False,
            "procedural": True,
            "typeset": True,
        },
        "algorithmicMedia",
    ),
    (
        {"model_drew_background": False, "model_drew_product": False, "typeset": True},
        "digitalCreation",
    ),
    ({"model_drew_background": False, "model_drew_product": False}, "digitalCapture"),
]


@pytest.mark.parametrize(("lineage", "term"), LINEAGES)
def test_the_mark_follows_from_the_lineage(lineage, term):
    mark = provenance.source_type_for(**lineage)
    assert mark.uri == f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
    assert mark.made_with_ai == ("trained" in term.lower())


def test_schema_org_has_its_own_spelling():
    assert [term.schema_org for term in DigitalSourceType] == [
        "DigitalCaptureDigitalSource",
        "CompositeCaptureDigitalSource",
        "DigitalCreationDigitalSource",
        "AlgorithmicMediaDigitalSource",
        "CompositeWithTrainedAlgorithmicMediaDigitalSource",
        "TrainedAlgorithmicMediaDigitalSource",
    ]


def test_a_picture_made_from_several_inherits_the_strongest_mark():
    terms = DigitalSourceType.CREATION, DigitalSourceType.MODEL, DigitalSourceType.CAPTURE
    assert provenance.strongest(*terms) is DigitalSourceType.MODEL
    assert provenance.strongest(DigitalSourceType.CAPTURE) is DigitalSourceType.CAPTURE


@pytest.mark.parametrize("format", encode.FORMATS)
@pytest.mark.parametrize("term", DigitalSourceType)
def test_every_format_carries_every_mark(format, term):
    plain = encode.encode(colourful(), format=format)
    marked = encode.encode(colourful(), format=format, xmp=provenance.xmp_packet(term))
    assert provenance.read_mark(plain) is None
    assert provenance.read_mark(marked) is term
    assert 0 < len(marked) - len(plain) < 900


@pytest.mark.parametrize("format", encode.FORMATS)
def test_pillow_finds_the_mark_where_every_other_reader_looks(format):
    packet = provenance.xmp_packet(DigitalSourceType.MODEL, credit="Made with a model")
    data = encode.encode(colourful(), format=format, xmp=packet)
    with Image.open(BytesIO(data)) as image:
        description = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert description["DigitalSourceType"] == DigitalSourceType.MODEL.uri
    assert description["Credit"] == "Made with a model"


def test_the_packet_is_sound_xml_whatever_the_words():
    credit = "Müller & Söhne <b>\"best\"</b> 'ان' ]]> {0}\x00\x1b\ud800\ufffe\n🙂"
    packet = provenance.xmp_packet(DigitalSourceType.MODEL, creator_tool='a"b', credit=credit)
    assert packet.startswith(b"<?xpacket begin=") and packet.endswith(b'<?xpacket end="w"?>')
    (description,) = ElementTree.fromstring(packet)[0]  # noqa: S314 our own packet
    found = {name.rpartition("}")[2]: value for name, value in description.attrib.items()}
    assert found["Credit"] == "Müller & Söhne <b>\"best\"</b> 'ان' ]]> {0}\n🙂"
    assert found["CreatorTool"] == 'a"b'


def test_an_empty_credit_is_left_out():
    assert b"Credit" not in provenance.xmp_packet(DigitalSourceType.MODEL)


def _packet(inner: str, attributes: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" '
        f'xmlns:rdf="{provenance.RDF}" xmlns:e="{provenance.IPTC_EXT}"><rdf:RDF>'
        f"<rdf:Description{attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


URI = DigitalSourceType.COMPOSITE_WITH_MODEL.uri


@pytest.mark.parametrize(
    "packet",
    [
        _packet("", f' e:DigitalSourceType="{URI}"'),
        _packet(f"<e:DigitalSourceType>\n {URI} </e:DigitalSourceType>"),
        _packet(f'<e:DigitalSourceType rdf:resource="{URI}"/>'),
        _packet("", ' e:DigitalSourceType="compositeWithTrainedAlgorithmicMedia"'),
    ],
)
def test_the_mark_is_read_in_every_way_that_xmp_can_write_it(packet):
    data = encode.encode(colourful(), format="webp", xmp=packet)
    assert provenance.read_mark(data) is DigitalSourceType.COMPOSITE_WITH_MODEL


@pytest.mark.parametrize(
    "packet",
    [
        _packet("", ' e:DigitalSourceType="http://example.org/somethingElse"'),
        _packet("", ' e:Other="x"'),
        b"<x:xmpmeta",
        b'<?xml version="1.0" encoding="nonsense-8"?><a/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"\xff\xfe\xff",
    ],
)
def test_a_mark_that_cannot_be_understood_is_no_mark(packet):
    assert provenance.read_mark(encode.encode(colourful(), format="webp", xmp=packet)) is None


def _png_with(kind: bytes, content: bytes) -> bytes:
    data = saved(colourful())
    return data[:33] + png_chunk(kind, content) + data[33:]


def test_a_compressed_packet_is_read_and_a_bomb_in_its_place_is_not():
    head = b"XML:com.adobe.xmp\0\1\0\0\0"
    packet = provenance.xmp_packet(DigitalSourceType.MODEL)
    data = _png_with(b"iTXt", head + zlib.compress(packet))
    assert provenance.read_mark(data) is DigitalSourceType.MODEL
    assert provenance.read_mark(_png_with(b"iTXt", head + b"broken")) is None
    bomb = zlib.compress(b" " * 50_000_000)
    assert provenance.read_mark(_png_with(b"iTXt", head + bomb)) is None


def test_a_mark_in_another_text_of_the_picture_does_not_count():
    packet = provenance.xmp_packet(DigitalSourceType.MODEL)
    assert provenance.read_mark(_png_with(b"iTXt", b"Comment\0\0\0\0\0" + packet)) is None
    assert provenance.read_mark(saved(colourful(), "JPEG", comment=packet)) is None


@pytest.mark.parametrize("format", encode.FORMATS)
def test_a_file_cut_anywhere_reads_without_an_error(format):
    packet = provenance.xmp_packet(DigitalSourceType.MODEL)
    data = encode.encode(colourful(), format=format, xmp=packet)
    for length in range(0, len(data), 11):
        assert provenance.read_mark(data[:length]) in (None, DigitalSourceType.MODEL)
        assert not provenance.has_c2pa(data[:length])
    assert provenance.read_mark(b"") is None


def _jumbf(kind: bytes) -> bytes:
    description = struct.pack(">I4s4s12sB", 25, b"jumd", kind, b"\0" * 12, 0)
    return struct.pack(">I4s", 8 + len(description), b"jumb") + description


def _jpeg_with(marker: int, content: bytes) -> bytes:
    data = saved(colourful(), "JPEG")
    segment = struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
    return data[:2] + segment + data[2:]


def _webp_with(kind: bytes, content: bytes) -> bytes:
    data = saved(colourful(), "WEBP") + struct.pack("<4sI", kind, len(content)) + content
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _avif_with(content: bytes) -> bytes:
    return saved(colourful(), "AVIF") + struct.pack(">I4s", 8 + len(content), b"uuid") + content


def test_a_c2pa_manifest_is_found_where_each_format_keeps_it():
    store = _jumbf(b"c2pa")
    assert provenance.has_c2pa(_png_with(b"caBX", store))
    assert provenance.has_c2pa(_jpeg_with(0xEB, b"JP\0\1\0\0\0\1" + store))
    assert provenance.has_c2pa(_webp_with(b"C2PA", store))
    assert provenance.has_c2pa(_avif_with(provenance.C2PA_UUID_BOX + store))


def test_its_letters_elsewhere_are_no_manifest():
    store = _jumbf(b"c2pa")
    assert not provenance.has_c2pa(_png_with(b"teXt", b"caBX" + store))
    assert not provenance.has_c2pa(_jpeg_with(0xEB, b"JP\0\1\0\0\0\1" + _jumbf(b"360p")))
    assert not provenance.has_c2pa(_jpeg_with(0xE5, b"JP\0\1\0\0\0\1" + store))
    assert not provenance.has_c2pa(_jpeg_with(0xFE, store))
    assert not provenance.has_c2pa(_webp_with(b"EXTR", b"C2PA" + store))
    assert not provenance.has_c2pa(_avif_with(b"\0" * 16 + store))
    assert not provenance.has_c2pa(b"caBX")


def test_saving_anew_loses_the_mark_so_it_has_to_be_written_each_time():
    packet = provenance.xmp_packet(DigitalSourceType.MODEL)
    marked = encode.encode(colourful(), format="jpeg", xmp=packet)
    again = encode.encode(inspect.open_photo(marked, **LIMITS), format="jpeg")
    assert provenance.read_mark(again) is None
