"""The built-in provider: the product's own pixels in a rendered scene. No network, no key, no weights."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from nb_catalog.conf import picture_limits
from nb_catalog.core.types import BACKDROP, POSES, PhotoKind, Size, Treatment
from nb_catalog.exceptions import (
    NoPicture,
    PictureMissing,
    RequestRefused,
    RequestRejected,
)
from nb_catalog.imaging.bundles import PartFile, render_bundle
from nb_catalog.imaging.colour_shift import RELIT_CHECK
from nb_catalog.imaging.compose import (
    WHOLE,
    Framing,
    Pose,
    compose,
    estimate_pose,
    fit_scene,
    view_for,
)
from nb_catalog.imaging.compose.flat import flat_cutout_photo
from nb_catalog.imaging.compose.light_map import scene_light
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.cutout.backends import backend_for
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.in_photo import compose_in_photo
from nb_catalog.imaging.locked import cut_out_photo, report_on
from nb_catalog.imaging.provenance import source_type_for, xmp_packet
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

VERSION: Final = "local-studio/1"
QUALITY: Final = 95
MASK_ROLES: Final = ("mask", "found_mask")


class LocalProvider(Provider):
    """Cuts the product out and composes it into the scene that its recipe describes.

    With the treatment "relit", the product takes the light of that scene. A photo of the kind
    "full_frame" is not cut out.

    A reference with the role "mask" is the product's alpha as a person drew it, one with the role
    "found_mask" that of a machine, whose edge is refined: grey PNG files. Without either, the backend of
    ``NB_CATALOG["CUTOUT"]`` finds the product.
    """

    is_free = True
    composites = True

    def build(self, request: ImageRequest) -> Payload:
        """Return photo and its kind, mask, recipe, size in pixels, seed, pose and treatment.

        Raises ``RequestRejected`` for a request that needs a model, an unknown pose, an unknown size, a
        camera that is not one or a proportion out of range, and ``PictureMissing`` without a photo.
        """
        if request.treatment == Treatment.PAINTED:
            raise RequestRejected(
                "The local provider never redraws a product: use the locked treatment or the relit "
                "one, or a tier with a model that paints."
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
        try:
            camera = Camera.from_mapping(request.camera) if request.camera else None
            framing = Framing.of_camera(camera, proportion=request.proportion)
        except ValueError as error:
            raise RequestRejected(f"The camera of the set is invalid. {error}") from error
        photo = next((each for each in request.references if each.role == "product"), None)
        if photo is None:
            raise PictureMissing("The local provider needs a photo of the product, and got none.")
        mask = next((each for each in request.references if each.role in MASK_ROLES), None)
        place = next((each for each in request.references if each.role == BACKDROP), None)
        try:
            size = pixel_size(request.ratio, request.size)
        except RequestRefused as error:
            raise RequestRejected(str(error)) from error
        return Payload(
            model=request.model,
            body={
                "photo": photo.data,
                "mask": mask and mask.data,
                "refine": mask is not None and mask.role == "found_mask",
                "renderer": request.renderer,
                "size": size,
                "seed": request.seed,
                "pose": request.pose,
                "photo_kind": request.photo_kind,
                "treatment": request.treatment.value,
                "camera": camera,
                "framing": framing,
                "backdrop": place and place.data,
                "parts": _part_files(request),
            },
        )

    async def send(self, payload: Payload) -> RawResponse:
        """Render the picture in a thread. Raises ``PictureError`` and ``RequestRejected``."""
        data, report = await asyncio.to_thread(render_variant, payload.body)
        return RawResponse(body=data, headers={"report": json.dumps(report)})

    def parse(self, answer: RawResponse) -> ImageResult:
        """Return the picture, with the product's place on it and its size if it had to be reduced."""
        if not isinstance(answer.body, bytes) or not answer.body:
            raise NoPicture("The local renderer returned no picture.")
        return ImageResult(
            data=answer.body,
            mime_type="image/jpeg",
            model_version=VERSION,
            report=json.loads(answer.headers.get("report", "{}")),
        )


def render_variant(body: Mapping[str, Any]) -> tuple[bytes, Mapping[str, Any]]:
    """Render one picture: return a JPEG file, marked as computed without a model, and a report.

    The report holds the product's place in the picture, why its cut-out is doubtful, and how far
    relighting changed it. If the photo is too small for the requested size, the picture is smaller,
    and the report says so. The same body gives the same bytes. Raises ``PictureError`` for photo and
    mask, ``RequestRejected`` for the recipe.
    """
    if body.get("backdrop") is not None:
        if body.get("parts"):
            raise RequestRejected(
                "A photo of a place has room for one product: use a rendered scene."
            )
        return _render_in_photo(body)
    try:
        recipe = SceneRecipe.from_mapping(body["renderer"])
    except ValueError as error:
        raise RequestRejected(f"The scene's recipe is invalid. {error}") from error
    relit = body.get("treatment") == Treatment.RELIT
    if body.get("parts"):
        made = render_bundle(
            body["parts"],
            recipe,
            size=Size(*body["size"]),
            seed=body["seed"],
            camera=body.get("camera"),
            relit=relit,
            **picture_limits(),
        )
        return made.data, {"product": made.product, **made.report}
    camera, framing = body.get("camera"), body.get("framing", WHOLE)
    if camera is not None:
        recipe = camera.aimed_at(recipe)
    cutout, pose = _product_of(body, from_above=recipe.view == "top")
    seed, view = body["seed"], view_for(cutout, pose=pose)
    fitted = fit_scene(
        cutout, recipe, size=Size(*body["size"]), seed=seed, view=view, framing=framing
    ).require_detail()
    scene = {"size": fitted.size, "seed": seed, "view": view}
    backdrop = render(recipe, **scene)
    light = scene_light(recipe, **scene) if relit else None
    term = source_type_for(model_drew_background=False, model_drew_product=False, procedural=True)
    picture = compose(cutout, backdrop, seed=seed, pose=pose, light=light, framing=framing)
    data = encode(
        picture.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    shift = {} if picture.shift is None else {RELIT_CHECK: picture.shift.report()}
    sizes = {**fitted.report(), **framing.report(cutout.solid, backdrop.box)}
    return data, {
        "product": picture.product,
        "view": backdrop.view,
        **sizes,
        **report_on(cutout),
        **shift,
    }


def _render_in_photo(body: Mapping[str, Any]) -> tuple[bytes, Mapping[str, Any]]:
    """Render one picture in a photo of a place, as ``render_variant`` does in a recipe's scene."""
    options, limits = body["renderer"], picture_limits()
    try:
        place = BackdropPlace.from_mapping(options.get("place", {}))
    except ValueError as error:
        raise RequestRejected(f"The product's place in the photo is invalid. {error}") from error
    cutout, pose = _product_of(body, from_above=place.view != "front")
    picture = compose_in_photo(
        cutout,
        body["backdrop"],
        place=place,
        size=Size(*body["size"]),
        seed=body["seed"],
        pose=pose,
        framing=body.get("framing", WHOLE),
        origin=options.get("origin", ""),
        **limits,
    )
    data = encode(
        picture.composition.pixels,
        format="jpeg",
        quality=QUALITY,
        xmp=xmp_packet(picture.term),
        full_chroma=True,
    )
    report = {"product": picture.composition.product, **picture.report, **report_on(cutout)}
    return data, report


def _part_files(request: ImageRequest) -> list[PartFile]:
    """Return the products of a bundle: each photo among the references with the mask that follows it.

    Raises ``PictureMissing`` if there are not as many photos as parts.
    """
    if not request.parts:
        return []
    files: list[PartFile] = []
    for each in request.references:
        if each.role in MASK_ROLES and files:
            files[-1] = replace(files[-1], mask=each.data, refine=each.role == "found_mask")
        elif each.role == "product" and len(files) < len(request.parts):
            part = request.parts[len(files)]
            files.append(
                PartFile(
                    photo=each.data,
                    backend=backend_for(),
                    pose=part.get("pose", ""),
                    photo_kind=part.get("photo_kind", ""),
                    height_cm=part.get("height_cm") or None,
                )
            )
    if len(files) < len(request.parts):
        raise PictureMissing(
            f"The local provider needs a photo of each of the {len(request.parts)} products, and got "
            f"{len(files)}."
        )
    return files


def _product_of(body: Mapping[str, Any], *, from_above: bool) -> tuple[Cutout, Pose]:
    """Return the product without its background, and its pose.

    A photo that is all product becomes a board, which stands unless the host says otherwise.
    """
    limits, side = picture_limits(), max(body["size"])
    if body.get("photo_kind") == PhotoKind.FULL_FRAME:
        pose: Pose = body.get("pose") or "standing"
        is_turned = pose == "standing" and not from_above
        board = flat_cutout_photo(body["photo"], picture_side=side, is_turned=is_turned, **limits)
        return board, pose
    if (mask := body.get("mask")) is None:
        cutout = cut_out_photo(body["photo"], picture_side=side, backend=backend_for(), **limits)
    else:
        cutout = cut_out_photo(
            body["photo"],
            alpha=read_mask(mask, **limits),
            refine=body.get("refine", False),
            picture_side=side,
            **limits,
        )
    return cutout, body.get("pose") or estimate_pose(cutout.pixels[..., 3])
