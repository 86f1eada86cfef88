"""The built-in provider: the product's own pixels in a rendered scene. No network, no key, no weights."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.checks import CheckMessage, Warning
from django.utils.module_loading import import_string

from nb_catalog.conf import settings
from nb_catalog.core.types import POSES, Rect, Size, Treatment
from nb_catalog.exceptions import (
    InvalidSettings,
    NoPicture,
    PictureMissing,
    RequestRefused,
    RequestRejected,
)
from nb_catalog.imaging.compose import compose, estimate_pose, view_for
from nb_catalog.imaging.cutout import Cutter, cut_out
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import source_type_for, xmp_packet
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

VERSION: Final = "local-studio/1"
QUALITY: Final = 95
CUTTER: Final = "nb_catalog.imaging.cutout.cut_out"


class LocalProvider(Provider):
    """Cuts the product out and composes it into the scene that its recipe describes.

    ``cutter`` is the dotted path of another ``imaging.cutout.Cutter``, such as a wrapper around a
    segmentation model that the host has installed.
    """

    is_free = True
    composites = True

    def __init__(self, *, alias: str, cutter: str = CUTTER) -> None:
        super().__init__(alias=alias)
        self._path = f"NB_CATALOG['PROVIDERS'][{alias!r}]['OPTIONS']['cutter']"
        try:
            self.cutter: Cutter = import_string(cutter)
        except ImportError as error:
            raise InvalidSettings(
                f"{cutter!r} cannot be imported: {error}", path=self._path
            ) from error

    def build(self, request: ImageRequest) -> Payload:
        """Return photo, recipe, size in pixels, seed and pose.

        Raises ``RequestRejected`` for a request that needs a model, an unknown pose or an unknown
        size, and ``PictureMissing`` without a photo.
        """
        if request.treatment != Treatment.LOCKED:
            raise RequestRejected(
                "The local provider never redraws a product: use the locked treatment, "
                "or a tier with a model that paints."
            )
        if not request.renderer:
            raise RequestRejected(
                "This scene has no recipe for the local renderer, only a prompt for a model: "
                "add a recipe to the scene, or use a tier with a model."
            )
        if request.pose not in POSES:
            raise RequestRejected(
                f"There is no pose {request.pose!r}: "
                f"it must be one of {', '.join(map(repr, POSES))}."
            )
        photo = next((each for each in request.references if each.role == "product"), None)
        if photo is None:
            raise PictureMissing("The local provider needs a photo of the product, and got none.")
        try:
            size = pixel_size(request.ratio, request.size)
        except RequestRefused as error:
            raise RequestRejected(str(error)) from error
        return Payload(
            model=request.model,
            body={
                "photo": photo.data,
                "renderer": request.renderer,
                "size": size,
                "seed": request.seed,
                "pose": request.pose,
            },
        )

    async def send(self, payload: Payload) -> RawResponse:
        """Render the picture in a thread. Raises ``PictureError`` and ``RequestRejected``."""
        data, product = await asyncio.to_thread(render_variant, payload.body, cutter=self.cutter)
        return RawResponse(body=data, headers={"product": json.dumps(product)})

    def parse(self, answer: RawResponse) -> ImageResult:
        """Return the picture, and where on it the product is."""
        if not isinstance(answer.body, bytes) or not answer.body:
            raise NoPicture("The local renderer returned no picture.")
        return ImageResult(
            data=answer.body,
            mime_type="image/jpeg",
            model_version=VERSION,
            report={"product": json.loads(answer.headers.get("product", "null"))},
        )

    def check(self) -> Sequence[CheckMessage]:
        """Return a warning about a cutter that is not callable: it would fail every job."""
        if callable(self.cutter):
            return ()
        return (
            Warning(
                f"{self._path} is not callable.",
                hint="Use the path of a function that takes a PIL image and returns a Cutout.",
                id="nb_catalog.W101",
            ),
        )


def render_variant(body: Mapping[str, Any], *, cutter: Cutter = cut_out) -> tuple[bytes, Rect]:
    """Render one picture: return a JPEG file, marked as computed without a model, and the product's
    place on it.

    The same body gives the same bytes. Raises ``PictureError`` for the photo and ``RequestRejected``
    for the recipe.
    """
    try:
        recipe = SceneRecipe.from_mapping(body["renderer"])
    except ValueError as error:
        raise RequestRejected(f"The scene's recipe is invalid. {error}") from error
    photo = open_photo(
        body["photo"],
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )
    cutout = cutter(photo)
    seed, pose = body["seed"], body.get("pose") or estimate_pose(cutout.pixels[..., 3])
    backdrop = render(recipe, size=Size(*body["size"]), seed=seed, view=view_for(cutout, pose=pose))
    term = source_type_for(model_drew_background=False, model_drew_product=False, procedural=True)
    picture = compose(cutout, backdrop, seed=seed, pose=pose)
    data = encode(
        picture.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    return data, picture.product
