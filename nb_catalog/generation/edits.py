"""Plans edits of pictures that are made without a model: adjustments, free and reproducible."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Treatment
from nb_catalog.cutouts import StoredCutout
from nb_catalog.exceptions import NBCatalogError, PictureMissing, RequestRefused
from nb_catalog.generation.edit_masks import cutouts_for, mask_fields, product_fields
from nb_catalog.generation.planners import FreePlanner, plural_name
from nb_catalog.generation.treatments import treatment_objections
from nb_catalog.imaging.adjust import (
    Adjustment,
    Crop,
    Extend,
    as_mappings,
    changes_product,
    needs_mask,
    not_rendered,
    preview_file,
    unknown_background,
)
from nb_catalog.imaging.colour_shift import RELIT_CHECK
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.editor import ALIAS, options_from
from nb_catalog.providers.types import ImageRequest
from nb_catalog.registry import CatalogSource

# Seconds to adjust one picture on one core; decoding and encoding take most of it.
SECONDS_EACH: Final = 0.6
# Files that are looked for before anything is started: a storage may be remote.
MOST_LOOKED_FOR: Final = 24
# An edit of a final is a picture of its own: it is not the draft made again.
NOT_A_FINAL: Final[Mapping[str, Any]] = {
    "draft": "", "draft_file": "", "draft_request": "", "candidate": 0,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AdjustmentPlanner(FreePlanner):
    """Makes ``adjustments`` one after the other on each of ``images``.

    ``cutouts`` are those of their photos, by the pictures' keys; ``for_block`` sets them if they are needed.
    """

    source: CatalogSource
    images: Sequence[ProductImage]
    adjustments: tuple[Adjustment, ...]
    cutouts: Mapping[int, StoredCutout] = field(default_factory=dict)

    kind: ClassVar[str] = "adjustments"
    alias: ClassVar[str] = ALIAS
    seconds_each: ClassVar[float] = SECONDS_EACH
    per_product: ClassVar[int] = 1
    products_per_block: ClassVar[int] = 200

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return self

    @cached_property
    def by_product(self) -> Mapping[str, Sequence[ProductImage]]:
        images: dict[str, list[ProductImage]] = defaultdict(list)
        for image in self.images:
            images[image.object_id].append(image)
        return images

    def title(self) -> str:
        return _("%(what)s: adjusted pictures") % {"what": plural_name(self.source)}

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "images": sorted(image.pk for image in self.images),
            "adjustments": as_mappings(self.adjustments),
        }

    def objections(self) -> Iterator[str]:
        if any(isinstance(each, Extend) for each in self.adjustments[1:]):
            yield _("The ground can be extended first only: put “extend” before the others.")

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the cut-outs of the photos of ``products``, if they are needed."""
        if not any(map(needs_mask, self.adjustments)):
            return self
        cutouts: dict[int, StoredCutout] = {}
        for product in products:
            cutouts |= cutouts_for(self.by_product.get(str(product.pk), ()), product)
        return replace(self, cutouts=cutouts)

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for image in self.by_product.get(str(product.pk), ()):
            try:
                require_editable(image, looks_for_file=len(self.images) <= MOST_LOOKED_FOR)
                yield self.spec_for(image, product)
            except NBCatalogError as error:
                yield error

    def spec_for(self, image: ProductImage, product: Model) -> ImageSpec:
        """Return the spec of ``image`` with the adjustments. Raises ``RequestRefused``."""
        spec = ImageSpec.of_image(image.spec)
        edit: dict[str, Any] = {
            **edit_of(image),
            "adjustments": as_mappings(self.adjustments),
            **product_fields(image),
        }
        if any(isinstance(each, Extend) for each in self.adjustments):
            if not is_rendered(spec):
                raise RequestRefused(not_rendered())
            edit["rendered"] = True
        if any(map(needs_mask, self.adjustments)):
            known = mask_fields(image, product, cutout=self.cutouts.get(image.pk))
            if not known and image.mime_type != "image/png":
                raise RequestRefused(unknown_background())
            edit |= known
        if spec.shows_photo:
            edit["relit"] = dict(image.checks.get(RELIT_CHECK, {}))
        treatment = spec.treatment
        if spec.locked and any(map(changes_product, self.adjustments)):
            treatment = Treatment.RELIT.value
            refusals = treatment_objections(Treatment.RELIT, source=self.source, renders=True)
            if reasons := tuple(refusals):
                raise RequestRefused(
                    *reasons, _("Adjust the background only: the product’s pixels stay its own.")
                )
        ratios = [each.ratio for each in self.adjustments if isinstance(each, Crop | Extend)]
        return replace(
            spec,
            provider=ALIAS,
            model=ALIAS,
            treatment=treatment,
            prompt="",
            system="",
            thinking="",
            canvas="",
            **NOT_A_FINAL,
            ratio=ratios[-1] if ratios else spec.ratio,
            size="",
            edit=edit,
        )

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the same adjustments once more: the picture was rejected, and is asked for again."""
        return replace(spec, edit={**spec.edit, "take": int(spec.edit.get("take", 1)) + 1})


def preview_of(planner: AdjustmentPlanner, product: Model, *, side: int) -> bytes:
    """Return a small WebP file of the one picture that ``planner`` makes, ``side`` pixels or less.

    Raises ``RequestRefused`` and ``PictureError`` if it is not possible, ``StorageFailed``.
    """
    [result] = planner.for_block([product]).specs(product)
    if not isinstance(result, ImageSpec):
        raise result
    edit = result.edit
    mask = edit.get("mask")
    return preview_file(
        storage.read(str(edit["file"])),
        planner.adjustments,
        side=side,
        **options_from(
            edit,
            mask=storage.read(str(mask["file"])) if mask else None,
            request=ImageRequest.from_spec(result),
        ),
        **picture_limits(),
    )


def edit_of(image: ProductImage) -> dict[str, Any]:
    """Return the fields of an edit that say what it is made from."""
    return {
        "parent": image.sha256,
        "file": image.file.name or "",
        "origin": image.digital_source_type,
    }


def is_rendered(spec: ImageSpec) -> bool:
    """Return whether the local renderer made the scene of a picture, which was not edited since."""
    return bool(
        spec.renderer and spec.shows_photo
        and not (spec.base or spec.edit or spec.backdrop or spec.parts)
    )  # fmt: skip


def require_editable(image: ProductImage, *, looks_for_file: bool = True) -> None:
    """Raise ``RequestRefused`` for what is not a finished picture of its own, ``PictureMissing`` if its
    file is gone; with ``looks_for_file`` the storage is asked."""
    names = {"pk": image.pk, "base": image.parent_id}
    if image.kind != ImageKind.PICTURE:
        raise RequestRefused(
            _("Picture %(pk)s is not a finished picture of the product. Edit the one made from it.")
            % names
        )
    if ImageSpec.of_image(image.spec).sets_text:
        raise RequestRefused(
            _(
                "The text on picture %(pk)s is typeset. Edit the picture below it, %(base)s: its text is set "
                "again on the result."
            )
            % names
        )
    gone = image.pruned_at is not None
    if gone or (looks_for_file and not storage.exists(image.file.name or "")):
        raise PictureMissing(
            _("The file of picture %(pk)s no longer exists, so it cannot be edited. Make it again.")
            % names
        )
