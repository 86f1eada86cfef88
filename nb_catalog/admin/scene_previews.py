"""What the form of a scene offers to look at: the shop's own products, and patches of materials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse

from nb_catalog.admin import thumbnails
from nb_catalog.core.permissions import may_view
from nb_catalog.cutouts.previews import Preview
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.drawings import FORMAT, MIME_TYPE, digest
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.scenery.canvas import Canvas
from nb_catalog.imaging.scenery.recipe import WALLS, Material
from nb_catalog.imaging.scenery.surfaces import PAINTERS
from nb_catalog.registry import registered

# Products that are offered of each model.
MOST: Final = 6
STAGE: Final = 960
"""Pixels of the longer side of a photo on which a product is placed by dragging."""
SWATCH: Final = (48, 64)
TONES: Final[Mapping[str, str]] = {
    "brick": "#a35d45", "concrete": "#b3b1ac", "dark": "#26262a", "drape": "#7a2f3a",
    "foliage": "#5d7a4a", "formwork": "#a8a6a1", "linen": "#d8cdb9", "marble": "#eceae6",
    "moss": "#5f7146", "oak": "#b98a5a", "panel": "#8fa1a0", "paper": "#e9e7e2",
    "plaster": "#d5c9b8", "sand": "#dcc39a", "stone": "#8b8a86", "terrazzo": "#e3ded5",
    "tiles": "#a9c0b5", "velvet": "#43324f", "walnut": "#6d4a32",
}  # fmt: skip


def products_for(user: Any) -> list[tuple[str, str]]:
    """Return up to ``MOST`` products with a photo of each model that ``user`` may view: the value
    of an option and its label."""
    found = []
    for model, source in registered().items():
        if not may_view(user, model):
            continue
        with_photo = 0
        for product in source.queryset().order_by("-pk")[: 4 * MOST]:
            try:
                if with_photo < MOST and source.photos(product):
                    found.append((f"{source.label}:{product.pk}", source.title(product)))
                    with_photo += 1
            except NBCatalogError:
                continue
    return found


def serve_swatch(request: HttpRequest, kind: str) -> HttpResponse:
    """Return a patch of a material. 404 for an unknown one."""
    if kind not in WALLS:
        raise Http404

    def draw() -> bytes:
        shape = (2 * SWATCH[0], 2 * SWATCH[1])
        material = Material(kind=kind, tone=TONES.get(kind, "#d9d4cc"))
        canvas = Canvas(
            material=material, seed=4, shape=shape, extent=(0.9, 1.2), towards=(-0.6, -0.4)
        )
        return encode(PAINTERS[kind](canvas), format=FORMAT)

    key = f"swatch:{kind}:{digest({})}"
    return thumbnails.serve(request, Preview(digest=key, mime_type=MIME_TYPE, render=draw))
