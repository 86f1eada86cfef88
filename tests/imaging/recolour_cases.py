"""Pictures in which a product has another colour than in its photo, painted well or badly, made from its
cut-out.

They stand in for what models paint. The parts that get another colour are found by k-means, and three ways of
painting them are used; the comparison knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np

from nb_catalog.imaging.colour_shift import ciede2000, lab, linear
from tests.imaging import fidelity_cases as cases
from tests.imaging.fidelity_cases import Rgba

PALETTE: Final = (
    "#b3202a", "#1d3f8a", "#1f6b3a", "#e2b21b", "#6a2a78", "#1a1a1c", "#f2f0ea", "#8a8d90", "#c96a2b",
    "#5aa7b8", "#e59ab0", "#6b4a32",
)  # fmt: skip
# CIEDE2000 without exposure from which two colours of the palette are different ones to a buyer.
APART: Final = 20.0
# CIELAB lightness by which print has to differ from what it is on.
LEAST_CONTRAST: Final = 25.0


def rgb(text: str) -> np.ndarray:
    return np.array([int(text[start : start + 2], 16) for start in (1, 3, 5)], np.float64)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """CIEDE2000 of two sRGB colours at the exposures, within a stop, at which they are closest."""
    lit = np.clip(np.exp2(np.linspace(-1, 1, 17))[:, None] * linear(first)[None], 0, 1)
    return float(ciede2000(lab(lit), np.repeat(lab(linear(second)[None]), 17, axis=0)).min())


def body_of(product: Rgba, *, clusters: int = 6, seed: int = 0) -> np.ndarray | None:
    """How far each pixel belongs to the product's largest colour, (H, W), 0 to 1; None if it has none."""
    solid = product[..., 3] > 128
    tones = cv2.cvtColor(product[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    tones[..., 0] *= 0.55
    points = tones[solid]
    cv2.setRNGSeed(seed)
    step = max(1, len(points) // 8000)
    _fit, labels, centres = cv2.kmeans(
        points[::step], clusters, None, (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 30, 0.1), 3,
        cv2.KMEANS_PP_CENTERS,
    )  # fmt: skip
    sizes = np.bincount(labels.ravel(), minlength=clusters)
    largest = int(np.argmax(sizes))
    # Lit and shaded sides of one colour are clusters of their own: they share its hue, or its greyness.
    chroma = np.hypot(centres[:, 1], centres[:, 2])
    hue = np.arctan2(centres[:, 2], centres[:, 1])
    if chroma[largest] > 20:
        turned = np.abs(np.angle(np.exp(1j * (hue - hue[largest]))))
        alike = (
            (turned < np.radians(20))
            & (chroma > 0.5 * chroma[largest])
            & (chroma < 1.8 * chroma[largest])
        )
    else:
        alike = (np.linalg.norm(centres[:, 1:] - centres[largest, 1:], axis=1) < 9) & (
            np.abs(centres[:, 0] - centres[largest, 0]) < 16
        )
    same = np.flatnonzero(alike).tolist()
    apart = np.stack([np.linalg.norm(tones - each, axis=-1) for each in centres])
    own, other = apart[same].min(axis=0), np.delete(apart, same, axis=0)
    if not len(other):
        return np.where(solid, 1.0, 0.0).astype(np.float32)
    share = 1 / (1 + np.exp(np.clip((own - other.min(axis=0)) / 2.5, -30, 30)))
    share[~solid] = 0
    # Print of the same colour elsewhere is not its body.
    _count, labels, stats, _middles = cv2.connectedComponentsWithStats(
        (share > 0.5).astype(np.uint8)
    )
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] > 0.04 * np.count_nonzero(solid))
    kept = np.isin(labels, large[large > 0]).astype(np.uint8)
    # What letters surround of it is.
    near = round(0.04 * np.sqrt(np.count_nonzero(solid))) | 1
    share[cv2.dilate(kept, np.ones((near, near), np.uint8)) == 0] = 0
    return share.astype(np.float32) if share[solid].mean() > 0.35 else None


def other_colours(product: Rgba, body: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """The colours of print and parts that are not the body, (N, 3) sRGB."""
    rest = product[(product[..., 3] > 128) & (body < 0.3)][:, :3].astype(np.float32)
    if len(rest) < 50:
        return np.zeros((0, 3))
    cv2.setRNGSeed(seed)
    rest = rest[:: max(1, len(rest) // 4000)]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 30, 0.5)
    _fit, labels, centres = cv2.kmeans(rest, 5, None, criteria, 3, cv2.KMEANS_PP_CENTERS)
    return centres[np.bincount(labels.ravel(), minlength=5) > 0.04 * len(rest)].astype(np.float64)


def shows_print(colour: str, others: np.ndarray) -> bool:
    """Whether print in the colours ``others`` can be seen on ``colour``."""
    tones = lab(linear(np.vstack([rgb(colour), others])))
    return bool((np.abs(tones[1:, 0] - tones[0, 0]) > LEAST_CONTRAST).all())


def main_colour(product: Rgba, body: np.ndarray) -> np.ndarray:
    return np.median(product[body > 0.7][:, :3], axis=0)


def recoloured(
    product: Rgba, body: np.ndarray, colour: np.ndarray, rng: np.random.Generator
) -> Rgba:
    """The body in ``colour``: with other pigment, with other chroma, or drawn anew from its shading."""
    pixels = product[..., :3].astype(np.float64)
    wanted, own = linear(colour), linear(main_colour(product, body))
    # A dark cloth is little but highlights, which a bright pigment does not have.
    way = rng.integers(3) if own.mean() > 0.06 else 1
    if way == 0:  # the same light on another pigment
        shading = (linear(pixels) @ [0.2126, 0.7152, 0.0722]) / max(
            own @ [0.2126, 0.7152, 0.0722], 1e-3
        )
        light = np.clip(shading, 0, 3)[..., None] * wanted
        # White from the lamp stays white on dark cloth.
        light += 0.02 * np.clip(shading - 1.4, 0, 1)[..., None]
        painted = _srgb(light)
    elif way == 1:  # lightness compressed into what the new colour leaves, chroma replaced
        tones = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        own_lab, new = lab(own[None])[0], lab(wanted[None])[0]
        room = np.clip(
            min(new[0], 100 - new[0]) / max(min(own_lab[0], 100 - own_lab[0]), 8), 0.45, 1.5
        )
        lightness = new[0] + (tones[..., 0] - own_lab[0]) * room
        fade = np.clip(lightness / max(new[0], 5), 0.3, 1.25)
        tones = np.stack([np.clip(lightness, 0, 100), new[1] * fade, new[2] * fade], axis=-1)
        painted = cv2.cvtColor(tones.astype(np.float32), cv2.COLOR_LAB2RGB) * 255
    else:  # shading taken from the green channel, a little gamma
        shade = pixels[..., 1] / max(main_colour(product, body)[1], 4)
        painted = np.clip(shade, 0, 2.5)[..., None] ** rng.uniform(0.8, 1.0) * colour
    share = np.clip(body * rng.uniform(0.95, 1.05), 0, 1)[..., None]
    mixed = painted * share + pixels * (1 - share)
    return np.dstack([np.rint(np.clip(mixed, 0, 255)).astype(np.uint8), product[..., 3]])


def tinted(product: Rgba, colour: np.ndarray, rng: np.random.Generator) -> Rgba:
    """All of it in ``colour``, print and other parts included."""
    return recoloured(product, np.where(product[..., 3] > 0, 1.0, 0.0), colour, rng)


def half_done(product: Rgba, done: Rgba, rng: np.random.Generator) -> Rgba:
    """Two fifths of it are still as they were."""
    half, width = done.copy(), product.shape[1]
    columns = np.nonzero((product[..., 3] > 128).any(axis=0))[0]
    at = columns[int(len(columns) * 0.4)]
    side = slice(0, at) if rng.random() < 0.5 else slice(width - at, width)
    half[:, side] = product[:, side]
    return half


DAMAGES: Final[Mapping[str, Callable[[Rgba, np.random.Generator], Rgba]]] = {
    name: damage for name, damage in cases.DAMAGES.items() if name != "hue"
}


def _srgb(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
