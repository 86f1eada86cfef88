"""Seen from above a stand or a paper disc is a round under the product."""

from __future__ import annotations

import cv2
import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.noise import Plane, blurred
from nb_catalog.imaging.scenery.props import Outline, Overlay, filled, outline
from nb_catalog.imaging.scenery.recipe import Material, Prop, SceneRecipe
from nb_catalog.imaging.scenery.stage import Stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS

ROUND = ("disc", "podium")
RADIUS = 0.56
"""Of a unit: wider than most products, narrower than most pictures."""


def round_of(recipe: SceneRecipe) -> Prop | None:
    """The prop that shows from above, if the recipe has one: what the product stands on first."""
    found = sorted(
        (each for each in recipe.props if each.kind in ROUND), key=lambda p: p.kind == "disc"
    )
    return found[0] if found else None


def _outline(prop: Prop, *, stage: Stage, seed: int) -> Outline:
    shape = outline(prop, seed=seed) * (2 * RADIUS / prop.width) * stage.unit
    return shape * (1, -1) + (stage.centre, stage.box.bottom - stage.box.height / 2)


def shadow(prop: Prop, *, stage: Stage, light: Light, shape: tuple[int, int], seed: int) -> Plane:
    """How dark the round makes the ground, 0..1, in a map of the whole picture at ``shape``."""
    scale = np.array([shape[1] / stage.size.width, shape[0] / stage.size.height])
    unit = stage.unit * float(scale[0])
    ring = _outline(prop, stage=stage, seed=seed) * scale
    thick = min(0.06, 0.4 * prop.height) * unit
    moved = filled(ring - np.array(light.towards) * thick, shape)
    cast = blurred(moved, sigma=(0.008 + 0.03 * light.softness) * unit) * (
        0.25 + 0.4 * light.strength
    )
    return np.asarray(1 - (1 - cast) * (1 - 0.3 * blurred(filled(ring, shape), sigma=0.02 * unit)))


def drawn(prop: Prop, *, stage: Stage, light: Light, brightness: Plane, seed: int) -> Overlay:
    """The round itself, lit like the ground. ``brightness`` is a (h, w, 3) map of the picture."""
    ring = _outline(prop, stage=stage, seed=seed)
    left, top = (int(each) for each in np.floor(ring.min(0)) - 2)
    right, bottom = (int(each) for each in np.ceil(ring.max(0)) + 3)
    shape = (bottom - top, right - left)
    stuff = Material(kind=prop.surface, tone=prop.tone, accent=prop.accent)
    canvas = Canvas(
        material=stuff, seed=seed + 7, shape=shape, towards=light.towards,
        extent=(shape[0] / stage.unit, shape[1] / stage.unit),
    )  # fmt: skip
    skin = PAINTERS[prop.surface](canvas).astype(np.float32)
    k = brightness.shape[1] / stage.size.width
    into = np.array([[k, 0, left * k - 0.5], [0, k, top * k - 0.5]])
    local = cv2.warpAffine(
        brightness, into, (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    lit = skin * np.power(np.maximum(local, 0.01), np.float32(1 / 2.2))
    return Overlay(
        left=left, top=top, pixels=np.clip(lit, 0, 255).astype(np.uint8),
        cover=filled(ring - (left, top), shape),
    )  # fmt: skip
