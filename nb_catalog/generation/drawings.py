"""Small pictures for people who choose: of pictures, scenes and layouts, saved or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Final, cast

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog import __version__, storage
from nb_catalog.conf import picture_limits, settings
from nb_catalog.core import locales
from nb_catalog.core.permissions import may_view
from nb_catalog.core.types import Size
from nb_catalog.cutouts.previews import LARGE, SMALL, Preview, cut_small, look_up
from nb_catalog.exceptions import RequestRefused, TextError
from nb_catalog.imaging.compose import compose, estimate_pose, view_for
from nb_catalog.imaging.compose.pose import Pose
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.in_photo import compose_in_photo
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, source_type_for, xmp_packet
from nb_catalog.imaging.renditions import derive
from nb_catalog.imaging.scenery import SceneRecipe, render, thumbnail
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.models import ProductImage, Scene, TextLayout
from nb_catalog.registry import pose_of, source_for
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.previews import layout_preview

FORMAT: Final = "webp"
MIME_TYPE: Final = "image/webp"
WIDTHS: Final = (SMALL, LARGE)
SCENE: Final = Size(320, 240)
# Of a scene with a product, in pixels.
RATIOS: Final[Mapping[str, Size]] = {
    "1:1": Size(400, 400),
    "4:5": Size(360, 450),
    "9:16": Size(288, 512),
    "16:9": Size(512, 288),
}


def digest(content: Any) -> str:
    """Return what changes with the picture of a recipe or layout."""
    # Another release may render the same content differently.
    text = json.dumps([__version__, content], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]


def thumbnail_of(image: ProductImage, *, width: int = SMALL) -> Preview:
    """Return ``image`` at ``width`` pixels, one of ``WIDTHS``, with its mark of origin."""

    def draw() -> bytes:
        renditions = derive(
            storage.read(str(image.file.name)),
            widths=[width],
            formats=[FORMAT],
            xmp=xmp_packet(DigitalSourceType(image.digital_source_type)),
            **picture_limits(),
        )
        return next(renditions).data

    return _preview(f"preview:{image.sha256}:{width}", draw)


def scene_drawing(renderer: Mapping[str, Any]) -> Preview:
    """Return the scene of a recipe. Raises ``ValueError`` with the problem of a wrong recipe."""
    recipe = SceneRecipe.from_mapping(renderer)
    return _preview(
        f"scene:{digest(renderer)}", lambda: encode(thumbnail(recipe, size=SCENE), format=FORMAT)
    )


def layout_drawing(content: Mapping[str, Any], *, locale: str = "", is_saved: bool) -> Preview:
    """Return a layout on a sample picture, with sample texts of ``locale``, by default the shop's first.

    Raises ``ValueError`` for an invalid layout or locale. Reading it raises ``TextError`` for texts that do
    not fit.
    """
    locale = locale or settings.LOCALES[0]
    layout, language = Layout.from_mapping(content), str(locales.parse_locale(locale))

    def render_layout() -> bytes:
        texts = locales.sample_texts(locale)
        for role in layout.roles:
            texts.setdefault(role, texts["subline"])
        draw = partial(
            layout_preview, layout, texts=texts, locale=locale, chain=fonts.chain_for(locale)
        )
        try:
            picture = draw()
        except TextError:
            if not is_saved:
                raise
            # In a list, a layout that meets the sample product is better than a broken picture.
            picture = draw(keeps_clear=False)
        return encode(picture, format=FORMAT)

    return _preview(f"layout:{language}:{digest(content)}:{is_saved}", render_layout)


def drawing_of(design: Scene | TextLayout, *, locale: str = "") -> Preview | None:
    """Return the picture of a saved scene or layout; None for a scene with neither photo nor recipe.

    Raises ``ValueError`` for one that was saved with a wrong content.
    """
    if isinstance(design, TextLayout):
        return layout_drawing(design.content, locale=locale, is_saved=True)
    if design.backdrop_sha256:
        return photo_of_scene(design, side=SMALL)
    return scene_drawing(design.renderer) if design.renderer else None


def photo_of_scene(scene: Scene, *, side: int) -> Preview:
    """Return the photo of ``scene`` with ``side`` pixels on its longer side."""

    def draw() -> bytes:
        data = storage.read(str(scene.backdrop))
        image = flatten(open_photo(data, longest_side=side, **picture_limits()))
        term = scene.backdrop_origin
        mark = xmp_packet(DigitalSourceType(term)) if term else b""
        return encode(image, format=FORMAT, xmp=mark)

    return _preview(f"scene-photo:{scene.backdrop_sha256}:{side}:{scene.backdrop_origin}", draw)


def product_for(label: str, key: str, *, user: Any) -> Model:
    """Return the product of the model ``label`` that ``user`` may show in a preview.

    Raises ``NotRegistered``, and ``RequestRefused`` if it is gone, has no photo or is not for ``user``.
    """
    source = source_for(label)
    allowed = may_view(user, source.model)
    try:
        product = source.queryset().filter(pk=key).first() if allowed else None
    except (ValueError, ValidationError, OverflowError):
        # No key of this model looks like that.
        product = None
    if product is None or not source.photos(product):
        raise RequestRefused(_("The product is gone, or has no photo. Choose another one."))
    return product


def product_in_scene(
    product: Model, *, ratio: str, recipe: Any = None, place: Any = None, scene: Scene | None = None
) -> Preview:
    """Return ``product`` in the scene of ``recipe``, or at ``place`` in the photo of ``scene``.

    ``ratio`` is one of ``RATIOS``. Raises ``ValueError`` for an invalid recipe or place; reading it raises
    ``NBCatalogError`` for a photo.
    """
    size, photo = RATIOS[ratio], source_for(product).photos(product)[0]
    shown = look_up(product, photo)
    pose = cast("Pose | None", pose_of(product) or ("standing" if shown.is_full_frame else None))
    parts: tuple[Any, ...] = (photo.name, photo.version, shown.kind, shown.mask, pose, size)
    if scene is not None:
        spot = BackdropPlace.from_mapping(place)
        from_above = spot.view != "front"
        where = sorted(spot.as_dict().items())
        parts = (*parts, scene.backdrop_sha256, scene.backdrop_origin, where)
    else:
        made = SceneRecipe.from_mapping(recipe)
        from_above = made.view == "top"
        parts = (*parts, digest(recipe))

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
        return encode(pixels, format=FORMAT, xmp=xmp_packet(term))

    return _preview(f"scene-preview:{sha256(repr(parts).encode()).hexdigest()}", draw)


def _preview(key: str, draw: Callable[[], bytes]) -> Preview:
    return Preview(digest=key, mime_type=MIME_TYPE, render=draw)
