"""Cut-outs drawn for the tests, and composing that returns the pixels alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import nb_catalog
from nb_catalog.core.types import Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.cutout import CropBox, Cutout
from nb_catalog.imaging.scenery import SceneRecipe, render

FIXTURE = Path(nb_catalog.__file__).parent / "fixtures" / "nb_catalog_scenes.json"
SCENES = {
    row["fields"]["key"]: row["fields"]["renderer"]
    for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
}
SMALL = Size(400, 400)
GREY = np.full((400, 400, 3), 190, np.uint8)


def compose(*given, **options):
    """The pixels alone."""
    return composing.compose(*given, **options).pixels


def compose_on(*given, **options):
    return composing.compose_on(*given, **options).pixels


def cutout_of(image: Image.Image) -> Cutout:
    cropped = image.crop(image.getchannel("A").getbbox())
    box = CropBox(0, 0, cropped.width, cropped.height)
    return Cutout(pixels=np.array(cropped), box=box, photo_size=Size(*image.size), method="alpha")


def drawn(width: int, height: int, *shapes: tuple[tuple[float, ...], ...]) -> Cutout:
    """A cut-out of polygons, given in shares of width and height."""
    image = Image.new("RGBA", (width * 4, height * 4))
    for shape in shapes:
        points = [(x * width * 4, y * height * 4) for x, y in shape]
        ImageDraw.Draw(image).polygon(points, fill=(180, 30, 40, 255))
    return cutout_of(image.resize((width, height), Image.Resampling.BOX))


def block(width: int = 120, height: int = 200) -> Cutout:
    return drawn(width, height, ((0, 0), (1, 0), (1, 1), (0, 1)))


def solid_block(width: int, height: int) -> Cutout:
    """The same without soft edges, which take long to draw at a large size."""
    return cutout_of(Image.new("RGBA", (width, height), (180, 30, 40, 255)))


def jumper() -> Cutout:
    body = ((0.3, 0), (0.7, 0), (0.7, 1), (0.3, 1))
    left = ((0.3, 0.02), (0.35, 0.3), (0.12, 0.85), (0, 0.8))
    return drawn(300, 320, body, left, tuple((1 - x, y) for x, y in left))


def cap() -> Cutout:
    ellipse = [(0.5 + 0.5 * np.cos(a), 0.5 + 0.5 * np.sin(a)) for a in np.linspace(0, 6.28, 90)]
    return drawn(280, 240, tuple(ellipse))


def goblet() -> Cutout:
    bowl = ((0, 0), (1, 0), (0.8, 0.5), (0.55, 0.6), (0.45, 0.6), (0.2, 0.5))
    stem = ((0.46, 0.55), (0.54, 0.55), (0.54, 0.97), (0.46, 0.97))
    foot = ((0.3, 0.95), (0.7, 0.95), (0.72, 1), (0.28, 1))
    return drawn(140, 320, bowl, stem, foot)


def scene(key: str, *, size: Size = SMALL, seed: int = 3, view: str = "front"):
    return render(SceneRecipe.from_mapping(SCENES[key]), size=size, seed=seed, view=view)


def darkening(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return before.astype(int).sum(2) - after.astype(int).sum(2)
