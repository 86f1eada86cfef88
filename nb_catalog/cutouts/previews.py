"""What people look at to judge a cut-out: its photo, its mask, the product alone, and it in a scene."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, cast

from django.core.cache import cache
from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog import __version__, storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.types import Photo, PhotoKind
from nb_catalog.cutouts.photos import photo_of, read_photo_of
from nb_catalog.cutouts.records import stored_cutouts
from nb_catalog.exceptions import PictureMissing, RequestRefused
from nb_catalog.imaging.compose.flat import flat_cutout_photo
from nb_catalog.imaging.cutout import Cutout, cut_by_mask, cut_out, previews, strokes
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.renditions import derive
from nb_catalog.models import PhotoCutout, Scene
from nb_catalog.models.generic import object_key
from nb_catalog.models.photos import photo_key
from nb_catalog.providers.local import render_variant
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.registry import photo_kind_of, pose_of, read_photo

SMALL: Final = 320
LARGE: Final = 960
IN_FORM: Final = 480
"""Pixels of the longer side of a photo whose product is shown in a scene that is being edited."""
EDITED: Final = strokes.FINE_SIDE
"""Pixels of the longer side at which a mask is edited, at most."""
SIDES: Final = (SMALL, LARGE, EDITED)
WEEK: Final = 7 * 24 * 3600
SCENE_RATIO: Final = "4:5"
SEED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A picture to look at. ``digest`` changes with its content; ``read()`` raises ``PictureError``,
    ``StorageFailed`` and ``RequestRefused``."""

    digest: str
    mime_type: str
    render: Callable[[], bytes]
    is_cached: bool = True

    def read(self) -> bytes:
        if not self.is_cached:
            return self.render()
        return cast(
            "bytes", cache.get_or_set(f"nb_catalog:cutout:{self.digest}", self.render, WEEK)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProduct:
    """A product's photo, and what is known of it: its kind, and the name of its mask's file, "" without one.

    ``photo_sha256`` are the bytes that the mask was made of; ``refine`` says that a machine made it.
    """

    photo: Photo
    kind: str
    mask: str = ""
    photo_sha256: str = ""
    refine: bool = True

    @property
    def is_full_frame(self) -> bool:
        return self.kind == PhotoKind.FULL_FRAME


def look_up(product: Model, photo: Photo) -> ShownProduct:
    """Return what ``cut_small`` needs to show ``product``. One query."""
    place = (*object_key(product), photo_key(photo))
    stored = stored_cutouts([place]).get(place)
    if stored is None:
        return ShownProduct(photo=photo, kind=photo_kind_of(product, photo))
    return ShownProduct(
        photo=photo,
        kind=stored.kind or photo_kind_of(product, photo),
        mask=stored.mask,
        photo_sha256=stored.photo_sha256,
        refine=not stored.person_mask,
    )


# Equal photos have the same name and version, and equal masks the same name. A form draws one product often.
@lru_cache(maxsize=16)
def cut_small(shown: ShownProduct, *, is_turned: bool) -> Cutout:
    """Return the product at the size of a form's preview, from its stored mask if there is one.

    Without one, no network is asked: that may take seconds. A photo that is all product becomes a board,
    which ``is_turned`` for a picture in which it stands. Raises ``PictureError``, ``StorageFailed``.
    """
    data, limits = read_photo(shown.photo), picture_limits()
    if shown.is_full_frame:
        return flat_cutout_photo(data, picture_side=IN_FORM, is_turned=is_turned, **limits)
    view = open_photo(data, longest_side=IN_FORM, **limits)
    if shown.mask and shown.photo_sha256 == sha256(data).hexdigest():
        alpha = read_mask(storage.read(shown.mask), **limits)
        return cut_by_mask(view, alpha, refine=shown.refine)
    return cut_out(view)


def photo_preview(cutout: PhotoCutout) -> Preview:
    """Return the photo as it is edited: a JPEG."""
    return Preview(
        digest=digest_of(cutout, "photo"),
        mime_type="image/jpeg",
        render=lambda: previews.photo_file(
            read_photo_of(cutout), longest_side=EDITED, **picture_limits()
        ),
        is_cached=False,
    )


def mask_preview(cutout: PhotoCutout) -> Preview:
    """Return the mask as it is edited: a grey PNG, black if there is none."""
    return Preview(
        digest=digest_of(cutout, "mask"),
        mime_type="image/png",
        render=lambda: previews.mask_file(
            read_photo_of(cutout), mask=stored_mask(cutout), longest_side=EDITED, **picture_limits()
        ),
        is_cached=False,
    )


def cut_preview(cutout: PhotoCutout, *, side: int) -> Preview:
    """Return the product alone: a WebP picture with transparency, the whole photo's shape."""
    return Preview(
        digest=digest_of(cutout, "cut", side),
        mime_type="image/webp",
        render=lambda: previews.cut_file(
            read_photo_of(cutout), mask=stored_mask(cutout), longest_side=side, **picture_limits()
        ),
        is_cached=side < EDITED,
    )


def scene_preview(cutout: PhotoCutout, scene: Scene, *, side: int = LARGE) -> Preview:
    """Return the product in ``scene``, as the local provider makes it: a WebP picture."""
    return Preview(
        digest=digest_of(cutout, "scene", scene.renderer, side, cutout.kind),
        mime_type="image/webp",
        render=lambda: scene_file(cutout, scene, mask=stored_mask(cutout), side=side),
    )


def scene_file(cutout: PhotoCutout, scene: Scene, *, mask: bytes | None, side: int) -> bytes:
    """Return the product, cut out by the mask file ``mask``, in ``scene``: a WebP file.

    Without ``mask`` the photo must have a transparency of its own, or be all product. Raises
    ``PictureError``, ``StorageFailed``, and ``RequestRefused`` for a scene that only a model can make.
    """
    if not scene.renderer:
        raise RequestRefused(
            _("The scene “%(name)s” has no recipe for the local renderer.") % {"name": scene.name}
        )
    photo_file = photo_of(cutout)
    product: Any = cutout.catalog_object
    kind = cutout.kind or photo_kind_of(product, photo_file)
    if mask is None and cutout.method != "alpha" and kind != PhotoKind.FULL_FRAME:
        raise PictureMissing(_("There is no mask of this photo yet."))
    photo = read_photo(photo_file)
    # Always with a mask: a backend that cannot be built, or takes seconds, is not asked.
    alpha = mask or previews.mask_file(photo, mask=None, longest_side=EDITED, **picture_limits())
    body = {
        "photo": photo,
        "mask": alpha,
        "refine": mask is not None and not cutout.person_mask,
        "renderer": scene.renderer,
        "size": pixel_size(SCENE_RATIO, "1K" if side > SMALL else "512"),
        "seed": SEED,
        "pose": pose_of(product),
        "photo_kind": kind,
    }
    data, _report = render_variant(body)
    mark = xmp_packet(DigitalSourceType.ALGORITHMIC)
    [rendition] = derive(data, widths=[side], formats=["webp"], xmp=mark, **picture_limits())
    return rendition.data


def solve(cutout: PhotoCutout, data: Any, *, mask: bytes | None) -> bytes:
    """Return the mask, a PNG file, that strokes draw: ``data`` is a list as ``strokes.parse_strokes`` reads
    it, ``mask`` the file that they change. Raises ``RequestRefused``, ``PictureError``, ``StorageFailed``."""
    parsed = strokes.parse_strokes(data)
    return previews.solved_file(
        read_photo_of(cutout), strokes=parsed, mask=mask, **picture_limits()
    )


def stored_mask(cutout: PhotoCutout) -> bytes | None:
    """Return the file of the mask, None if there is none. Raises ``PictureMissing``, ``StorageFailed``."""
    return storage.read(str(cutout.mask.name)) if cutout.mask.name else None


def digest_of(cutout: PhotoCutout, *about: Any) -> str:
    """Return a digest that changes with the photo, its mask, this release and what it is ``about``."""
    content = [__version__, cutout.key, cutout.photo_sha256, cutout.mask_sha256, *about]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:24]
