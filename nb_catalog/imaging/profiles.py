"""ICC profiles: what their headers say, and profiles of colour spaces that are described in numbers."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nb_catalog.imaging.formats.base import SRGB, CameraTags, Chromaticities, ColourSpace
from nb_catalog.imaging.formats.cicp import BT709, D65

Floats = NDArray[np.float64]

# Adobe RGB (1998), 4.3.1: primaries, and a gamma of 2 51/256.
ADOBE_RGB: Final = ColourSpace(
    chromaticities=Chromaticities(D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), gamma=563 / 256
)
# ICC.1:2010, 7.2.16: the profile connection space's white.
D50: Final = np.array([0.9642, 1.0, 0.8249])
# Lindbloom's form of the linear Bradford transform (ICC.1:2010, annex E).
BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
CURVE_POINTS: Final = 4_096
DISPLAY_CLASSES: Final = frozenset({b"mntr", b"scnr", b"prtr", b"spac"})
# H.273, table 3, besides sRGB, PQ and HLG. Television's curves are shown as sRGB, as browsers do.
POWERS: Final = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
# ITU-R BT.2408: what white paper has in HDR, in cd/m2 and as a share of HLG's peak.
WHITE_NITS: Final = 203.0
HLG_WHITE: Final = 0.2650


def space_of(profile: bytes) -> bytes:
    """Return the colour space of ``profile``, such as b"RGB ", or nothing if it is not usable."""
    is_profile = len(profile) >= 132 and profile[36:40] == b"acsp"
    return profile[16:20] if is_profile and profile[12:16] in DISPLAY_CLASSES else b""


def stated_space(camera: CameraTags) -> ColourSpace | None:
    """Return the colour space that EXIF or TIFF tags state, None if they state none.

    Exif 2.32, 4.6.5 and annex; DCF 2.0 marks Adobe RGB by the interoperability index "R03" and
    "uncalibrated"; some cameras write 2 instead.
    """
    if camera.colour_space == 1:
        return SRGB
    is_adobe_rgb = camera.colour_space == 2 or camera.interoperability == b"R03"
    if camera.chromaticities is None and is_adobe_rgb:
        return ADOBE_RGB
    gamma = camera.gamma or (ADOBE_RGB.gamma if is_adobe_rgb else 0.0)
    is_like_srgb = camera.chromaticities is None or camera.chromaticities.are_near_srgb
    if is_like_srgb and not camera.transfer and (gamma <= 0 or round(gamma, 1) == 2.2):
        # 2.2 is written for sRGB, as the nearest power.
        return None
    transfer = camera.transfer
    curves: tuple[tuple[float, ...], ...] = ()
    if gamma <= 0 and len(transfer) in {3 * 2**bits for bits in range(1, 17)}:
        third = len(transfer) // 3
        curves = tuple(transfer[at : at + third] for at in (0, third, 2 * third))
    elif gamma <= 0 and len(transfer) >= 2:
        curves = (transfer,)  # for all channels
    return ColourSpace(chromaticities=camera.chromaticities, gamma=max(gamma, 0.0), curve=curves)


def profile_for(space: ColourSpace) -> bytes | None:
    """Return an ICC profile of ``space``, or None if it is sRGB or impossible."""
    white = (space.chromaticities or BT709).white
    xy = np.array([*(space.chromaticities or BT709)], dtype=np.float64)
    if xy.shape != (4, 2) or not np.isfinite(xy).all() or (np.abs(xy) > 2).any() or white[1] <= 0:
        return None
    # Scaled so that equal amounts of the primaries give white. y may be 0: XYZ's own X has none.
    xyz = np.stack([xy[:, 0], xy[:, 1], 1 - xy.sum(axis=1)])
    white_xyz = xyz[:, 0] / xyz[1, 0]
    try:
        primaries = xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], white_xyz)
    except np.linalg.LinAlgError:
        return None
    cones = BRADFORD @ white_xyz
    if (np.abs(cones) < 1e-6).any():
        return None
    adapted = np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D50 / cones) @ BRADFORD @ primaries
    if not (np.abs(adapted) < 100).all():
        return None
    curves = []
    for light in _light(space):
        points = np.clip(np.rint(light * 65535), 0, 65535).astype(">u2")
        curves.append(b"curv\0\0\0\0" + struct.pack(">I", len(points)) + points.tobytes())
    tags = [(b"wtpt", _xyz_tag(D50))]
    tags += [
        (name, _xyz_tag(adapted[:, at])) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    ]
    tags += [
        (name, curves[at % len(curves)]) for at, name in enumerate((b"rTRC", b"gTRC", b"bTRC"))
    ]
    return _assemble(tags)


def _light(space: ColourSpace) -> list[Floats]:
    """Return light, 0 to 1, for evenly spaced stored values: one curve, or one for each channel."""
    stored = np.linspace(0.0, 1.0, CURVE_POINTS)
    if space.is_narrow:
        stored = np.clip((stored * 255 - 16) / 219, 0.0, 1.0)
    if space.curve:
        curves = [np.asarray(each) for each in space.curve]
        curves = [each / max(float(each.max()), 1.0) for each in curves]
        return [np.interp(stored, np.linspace(0, 1, len(each)), each) for each in curves]
    gamma = space.gamma or POWERS.get(space.transfer, 0.0)
    if gamma > 0:
        return [stored ** min(max(gamma, 0.1), 10.0)]
    if space.transfer == 16:  # PQ, SMPTE ST 2084
        power = stored ** (1 / 78.84375)
        light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        return [np.minimum(10_000 * light ** (1 / 0.1593017578125) / WHITE_NITS, 1.0)]
    if (
        space.transfer == 18
    ):  # HLG, ITU-R BT.2100; the exponent of the display is applied to each channel
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(stored <= 0.5, stored**2 / 3, (np.exp((stored - c) / a) + b) / 12)
        return [np.minimum((scene / HLG_WHITE) ** 1.2, 1.0)]
    return [np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)]


def _xyz_tag(xyz: Floats) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(each) * 65536) for each in xyz))


def _assemble(tags: list[tuple[bytes, bytes]]) -> bytes:
    """Return a display profile of version 2.4 with ``tags`` (ICC.1:2001-04, clause 6)."""
    table, content = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags:
        table += struct.pack(">4sII", name, start + len(content), len(tag))
        content += tag + b"\0" * (-len(tag) % 4)
    size = start + len(content)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x", size, 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    )
    header += struct.pack(">3i", *(round(float(each) * 65536) for each in D50))
    return header.ljust(128, b"\0") + table + content
