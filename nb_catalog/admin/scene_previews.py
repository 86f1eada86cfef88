"""Previews of scenes with one of the shop's own products, and the photos that scenes are made of."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.admin import thumbnails
from nb_catalog.conf import picture_limits
from nb_catalog.core.permissions import may_view
from nb_catalog.core.types import Size
from nb_catalog.cutouts.previews import cut_small, look_up
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.imaging.compose import compose, estimate_pose, view_for
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.in_photo import compose_in_photo
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, source_type_for, xmp_packet
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.imaging.scenery.canvas import Canvas
from nb_catalog.imaging.scenery.recipe import WALLS, Material
from nb_catalog.imaging.scenery.surfaces import PAINTERS
from nb_catalog.models import Scene
from nb_catalog.registry import pose_of, registered, source_for

RATIOS: Final[Mapping[str, Size]] = {
    "1:1": Size(400, 400),
    "4:5": Size(360, 450),
    "9:16": Size(288, 512),
    "16:9": Size(512, 288),
}
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


def serve(
    request: HttpRequest, *, recipe: Any = None, place: Any = None, scene: Scene | None = None
) -> HttpResponse:
    """Return a recipe's scene, or the photo of ``scene``, with the product that the request names.

    Raises ``ValueError`` for an invalid recipe or place, ``NBCatalogError`` for a photo.
    """
    size = RATIOS.get(request.GET.get("ratio", ""), RATIOS["1:1"])
    product = _product(request)
    photo = source_for(product).photos(product)[0]
    shown = look_up(product, photo)
    pose = pose_of(product) or ("standing" if shown.is_full_frame else None)
    parts: tuple[Any, ...] = (
        photo.name, photo.version, shown.kind, shown.mask, pose, size
    )  # fmt: skip
    if scene is not None:
        spot = BackdropPlace.from_mapping(place)
        from_above = spot.view != "front"
        parts = (
            *parts,
            scene.backdrop_sha256,
            scene.backdrop_origin,
            sorted(spot.as_dict().items()),
        )
    else:
        made = SceneRecipe.from_mapping(recipe)
        from_above = made.view == "top"
        parts = (*parts, thumbnails.digest(recipe))
    key = sha256(repr(parts).encode()).hexdigest()

    def draw() -> bytes:
        cutout = cut_small(shown, is_turned=pose == "standing" and not from_above)
        if scene is not None:
            picture = compose_in_photo(
                cutout, storage.read(str(scene.backdrop)), place=spot, size=size, seed=0,
                pose=pose, origin=scene.backdrop_origin, **picture_limits(),
            )  # fmt: skip
            pixels, term = picture.composition.pixels, picture.term
        else:
            rests = pose or estimate_pose(cutout.pixels[..., 3])
            backdrop = render(made, size=size, seed=0, view=view_for(cutout, pose=rests))
            pixels = compose(cutout, backdrop, pose=rests).pixels
            term = source_type_for(
                model_drew_background=False, model_drew_product=False, procedural=True
            )
        return encode(pixels, format=thumbnails.FORMAT, xmp=xmp_packet(term))

    content = cache.get_or_set(f"nb_catalog:scene-preview:{key}", draw, thumbnails.WEEK)
    return _response(content, thumbnails.SHORTLY)


def serve_photo(scene: Scene, *, side: int) -> HttpResponse:
    """Return the photo of ``scene`` with ``side`` pixels on its longer side. 404 if it cannot be read."""

    def draw() -> bytes:
        try:
            data = storage.read(str(scene.backdrop))
            image = flatten(open_photo(data, longest_side=side, **picture_limits()))
        except NBCatalogError as error:
            raise Http404(str(error)) from error
        term = scene.backdrop_origin
        mark = xmp_packet(DigitalSourceType(term)) if term else b""
        return encode(image, format=thumbnails.FORMAT, xmp=mark)

    key = f"nb_catalog:scene-photo:{scene.backdrop_sha256}:{side}:{scene.backdrop_origin}"
    return _response(cache.get_or_set(key, draw, thumbnails.WEEK), thumbnails.FOREVER)


def serve_swatch(kind: str) -> HttpResponse:
    """Return a patch of a material. 404 for an unknown one."""
    if kind not in WALLS:
        raise Http404

    def draw() -> bytes:
        shape = (2 * SWATCH[0], 2 * SWATCH[1])
        material = Material(kind=kind, tone=TONES.get(kind, "#d9d4cc"))
        canvas = Canvas(
            material=material, seed=4, shape=shape, extent=(0.9, 1.2), towards=(-0.6, -0.4)
        )
        return encode(PAINTERS[kind](canvas), format=thumbnails.FORMAT)

    key = f"nb_catalog:swatch:{kind}:{thumbnails.digest({})}"
    return _response(cache.get_or_set(key, draw, thumbnails.WEEK), thumbnails.FOREVER)


def _product(request: HttpRequest) -> Model:
    label, _colon, key = request.GET.get("product", "").partition(":")
    source = source_for(label)
    allowed = may_view(request.user, source.model)
    product = source.queryset().filter(pk=key).first() if allowed else None
    if product is None or not source.photos(product):
        raise RequestRefused(_("The product is gone, or has no photo. Choose another one."))
    return product


def _response(content: bytes, cache_control: str) -> HttpResponse:
    response = HttpResponse(content, content_type=thumbnails.MIME_TYPE)
    response["Cache-Control"] = cache_control
    response["X-Content-Type-Options"] = "nosniff"
    return response
