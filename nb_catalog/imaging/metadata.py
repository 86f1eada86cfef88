"""What a file says besides its pixels: all of it removed, or a provenance mark written, without touching one
of the pixels."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from nb_catalog.imaging import containers
from nb_catalog.imaging.encode import XMP_IN_PNG
from nb_catalog.imaging.formats import png, webp

SENDABLE: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Types of which every byte that is kept is known to be needed; others are encoded again."""
XMP_IN_JPEG: Final = b"http://ns.adobe.com/xap/1.0/\0"
# Bytes of a JPEG's segment, less its own length (XMP specification, part 3, 1.1.3).
MAX_JPEG_PACKET: Final = 65_533 - len(XMP_IN_JPEG)
# VP8X, feature flags (RFC 9649, 2.7).
WEBP_XMP: Final = 0b0000_0100


def without_metadata(data: bytes, *, mime_type: str) -> bytes:
    """Return an undamaged JPEG, PNG or WebP with nothing but what its first picture's pixels need.

    What stays is listed in ``formats``; everything else goes, known or not: EXIF, XMP, IPTC,
    comments, thumbnails, profiles, further pictures, video, and what follows the picture. Pixels stay
    bit for bit. Returns ``data`` itself if there is nothing else in it. Raises ``ValueError`` for
    another type, for an animation, and if the end of the pixels cannot be found.
    """
    file = containers.take_apart(data, mime_type=mime_type)
    if mime_type not in SENDABLE or not file.is_sendable:
        raise ValueError(f"{mime_type}: only single JPEG, PNG and WebP pictures are stripped.")
    if mime_type != "image/png":
        return file.essential
    stripped = b"".join(png.without_tail(file))
    return data if stripped == data else stripped


def with_xmp(data: bytes, packet: bytes, *, mime_type: str) -> bytes:
    """Return a JPEG, PNG or WebP with ``packet`` as its XMP; its pixels stay bit for bit.

    ``data`` has no metadata of its own, as ``without_metadata`` returns it. Raises ``ValueError`` for
    another type and for a packet that does not fit.
    """
    match mime_type:
        case "image/jpeg":
            if len(packet) > MAX_JPEG_PACKET:
                raise ValueError(f"A JPEG takes a packet of {MAX_JPEG_PACKET:,} bytes at most.")
            # JFIF's own segment has to be the first one.
            at = 2
            if data[2:4] == b"\xff\xe0":
                at += 2 + int.from_bytes(data[4:6], "big")
            content = XMP_IN_JPEG + packet
            segment = struct.pack(">BBH", 0xFF, 0xE1, len(content) + 2) + content
            return data[:at] + segment + data[at:]
        case "image/png":
            _kind, _start, at = next(png.chunks(data))
            # Not compressed, without a language and a translated keyword (PNG, 11.3.3.4).
            content = b"iTXt" + XMP_IN_PNG.encode() + b"\0\0\0\0\0" + packet
            checksum = struct.pack(">I", zlib.crc32(content))
            return data[:at] + struct.pack(">I", len(content) - 4) + content + checksum + data[at:]
        case "image/webp":
            file = webp.read(data)
            body = b"".join(file.parts[1:])
            if body[:4] == b"VP8X":
                header, body = bytearray(body[:18]), body[18:]
            else:
                # The simple format has no place for metadata.
                alpha = webp.ALPHA_FLAG if file.has_alpha else 0
                size = b"".join(
                    (each - 1).to_bytes(3, "little") for each in (file.width, file.height)
                )
                header = bytearray(b"VP8X" + struct.pack("<IB3x", 10, alpha) + size)
            header[8] |= WEBP_XMP
            chunk = struct.pack("<4sI", b"XMP ", len(packet)) + packet + b"\0" * (len(packet) % 2)
            content = b"WEBP" + bytes(header) + body + chunk
            return struct.pack("<4sI", b"RIFF", len(content)) + content
    raise ValueError(f"{mime_type}: only JPEG, PNG and WebP files are marked.")
