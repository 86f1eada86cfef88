"""Plans edits of pictures that a model makes from an instruction in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.attributes import host_code
from nb_catalog.core.slots import aspect_of, is_close
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, RequestMode, Size, Treatment
from nb_catalog.cutouts import StoredCutout
from nb_catalog.exceptions import (
    NBCatalogError,
    PictureError,
    PictureMissing,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.generation.bundle_edits import bundle_objections, part_lines, parts_of
from nb_catalog.generation.edit_masks import cutouts_for, mask_fields, photo_of, product_fields
from nb_catalog.generation.edit_sessions import (
    REFERENCES_OF_A_STEP,
    PreviousSession,
    previous_session,
    session_objections,
)
from nb_catalog.generation.edits import NOT_A_FINAL, edit_of, require_editable
from nb_catalog.generation.planners import PaidPlanner
from nb_catalog.generation.prompts.edit import (
    MOST_EARLIER,
    bundle_edit_prompt,
    edit_prompt,
    session_prompt,
)
from nb_catalog.generation.treatments import treatment_objections
from nb_catalog.imaging.adjust import area_meets_product
from nb_catalog.imaging.colour_shift import RELIT_CHECK
from nb_catalog.imaging.edit_area import EditArea
from nb_catalog.models import ProductImage
from nb_catalog.providers.model_specs import PIXELS
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import CatalogSource

MAX_CANDIDATES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArea:
    """The mask of an edit in the catalog's storage."""

    area: EditArea
    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class EditPlanner(PaidPlanner):
    """Has the model of a tier change ``image`` as ``instruction`` says, inside of ``area`` if there is one.

    ``candidates`` pictures are made. With ``session``, the service stores the edit, or goes on from one that
    it has. ``cutouts`` has that of the product's photo, by the picture's key, once
    ``for_block`` has looked it up.
    """

    source: CatalogSource
    image: ProductImage
    instruction: str
    tier: Tier
    mode: RequestMode = RequestMode.DIRECT
    area: StoredArea | None = None
    candidates: int = 1
    session: bool = False
    cutouts: Mapping[int, StoredCutout] = field(default_factory=dict)

    kind: ClassVar[str] = "edit"
    products_per_block: ClassVar[int] = 1

    @property
    def per_product(self) -> int:
        return self.candidates

    @property
    def reference_count(self) -> int:
        # What was said in a session before is read, and billed, again.
        before = self._previous.steps if self.session else 0
        return self.least_references + REFERENCES_OF_A_STEP * before

    @property
    def least_references(self) -> int:
        return references_of(self.image) + (self.area is not None)

    @property
    def _parts(self) -> Sequence[Mapping[str, Any]]:
        parts: Sequence[Mapping[str, Any]] = self.image.spec.get("parts") or ()
        return parts

    @cached_property
    def ratio(self) -> str:
        """The ratio that the model is asked for: the picture's own, as close as the model has one."""
        aspect = self.image.width / self.image.height
        ratios = self.tier.model_spec.ratios

        def off(ratio: str) -> float:
            return max(aspect_of(ratio) / aspect, aspect / aspect_of(ratio))

        return min(ratios, key=off)

    def title(self) -> str:
        # Without the instruction: titles are in lists and subjects of e-mails, for all who may view runs.
        return _("Edit of picture %(pk)s") % {"pk": self.image.pk}

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "image": self.image.pk,
            "instruction": self.instruction,
            "tier": self.tier.name,
            "mode": self.mode.value,
            "area": self.area.sha256 if self.area else "",
            "candidates": self.candidates,
            **({"session": True} if self.session else {}),
        }

    def objections(self) -> Iterator[str]:
        if self.provider.composites:
            yield (
                _(
                    "The tier “%(tier)s” renders scenes and does not understand words. Choose one with a "
                    "model, or adjust the picture without one."
                )
                % {"tier": self.tier.name}
            )
            return
        if self._parts:
            yield from bundle_objections(
                self.image, has_area=self.area is not None, session=self.session
            )
        if not is_close(self.image.width / self.image.height, aspect_of(self.ratio)):
            yield (
                _(
                    "%(model)s has no ratio close to %(width)s × %(height)s pixels; the closest is "
                    "%(ratio)s. Crop the picture to that first, which is free."
                )
                % {
                    "model": self.tier.model,
                    "width": self.image.width,
                    "height": self.image.height,
                    "ratio": self.ratio,
                }
            )
        if self.session:
            yield from session_objections(self.provider, mode=self.mode)
        yield from self.tier_objections(ratio=self.ratio, treatment=Treatment.PAINTED)

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the cut-out of the product's photo. One query at most."""
        cutouts: dict[int, StoredCutout] = {}
        for product in products:
            cutouts |= cutouts_for([self.image], product)
        return replace(self, cutouts=cutouts)

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        """Yield the specs of the candidates. Raises ``NBCatalogError`` if they are not possible."""
        require_editable(self.image, looks_for_file=True)
        for photo in self._photos_of(product):
            self.photo_reader.check(photo)
        first = self._spec(product)
        for take in range(1, self.candidates + 1):
            yield first if take == 1 else replace(first, edit={**first.edit, "take": take})

    def _photos_of(self, product: Model) -> list[Photo]:
        """Return the photos that go along. Raises ``PictureMissing``."""
        if self._parts:
            return [photo for _part, photo in parts_of(self.image)]
        photo = photo_of(self.image, product)
        if photo is None:
            raise PictureMissing(
                _(
                    "The product no longer has the photo that this picture was made from, and a model would "
                    "not know what to keep. Adjust the picture without a model, or make it again."
                )
            )
        return [photo]

    def _spec(self, product: Model) -> ImageSpec:
        spec = ImageSpec.of_image(self.image.spec)
        known = {**product_fields(self.image)}
        mask = mask_fields(self.image, product, cutout=self.cutouts.get(self.image.pk))
        keeps_product = self.area is not None and not self._meets_product({**known, **mask})
        treatment = spec.treatment
        if spec.parts and not keeps_product:
            raise RequestRefused(
                _(
                    "The mask touches the products or what is between them. Paint one that leaves all of "
                    "them out, or adjust the picture without a model."
                )
            )
        if not keeps_product:
            treatment = Treatment.PAINTED.value
        elif spec.treatment == Treatment.PHOTO:
            # Its own pixels, on a background that a model has drawn on.
            treatment = Treatment.LOCKED.value
        reasons = tuple(
            treatment_objections(Treatment(treatment), source=self.source, renders=True)
        )
        if reasons:
            advice = _("Paint a mask that leaves the product out, or adjust the picture.")
            raise RequestRefused(*reasons, advice)
        # Always in the site's language: the same edit requested in two languages would be paid for twice.
        reading = host_code(f"{type(self.source).__name__}, title() or facts(),")
        with translation.override(django_settings.LANGUAGE_CODE), reading:
            title, facts = self.source.title(product), self.source.facts(product)
            lines = part_lines(parts_of(self.image)) if spec.parts else []
        earlier = earlier_instructions(self.image)
        edit: dict[str, Any] = {
            **edit_of(self.image),
            "instruction": self.instruction,
            **known,
            **mask,
            "keeps_product": keeps_product,
        }
        if self.area is not None:
            edit["area"] = {"sha256": self.area.sha256, "file": self.area.name}
        if self.session:
            edit["session"] = {
                "previous": self._previous.id,
                "steps": self._previous.steps + 1,
                "prompt": session_prompt(
                    instruction=self.instruction,
                    has_area=self.area is not None,
                    title=title,
                    facts=facts,
                ),
            }
        if relit := self.image.checks.get(RELIT_CHECK):
            edit["relit"] = dict(relit)
        return replace(
            spec,
            provider=self.tier.provider,
            model=self.tier.model,
            size=self.tier.size,
            thinking=self.tier.thinking,
            ratio=self.ratio,
            treatment=treatment,
            prompt=bundle_edit_prompt(instruction=self.instruction, earlier=earlier, products=lines)
            if spec.parts
            else edit_prompt(
                instruction=self.instruction,
                earlier=earlier,
                has_area=self.area is not None,
                title=title,
                facts=facts,
            ),
            system="",
            renderer=spec.renderer if spec.base else {},
            canvas="",
            anchor="",
            anchor_file="",
            **NOT_A_FINAL,
            edit=edit,
        )

    @cached_property
    def _previous(self) -> PreviousSession:
        return previous_session(self.image, tier=self.tier)

    def _meets_product(self, known: Mapping[str, Any]) -> bool:
        """Return whether the edit may change own pixels of the product; True if its place is not known."""
        if self.area is None:
            return True
        if self.image.spec.get("treatment") == Treatment.PAINTED:
            # None of its pixels are the product's own.
            return False
        mask = known.get("mask")
        try:
            return area_meets_product(
                self.area.area.file,
                size=Size(self.image.width, self.image.height),
                product=known.get("product"),
                place=known.get("place"),
                matrix=known.get("matrix"),
                mask=storage.read(str(mask["file"])) if mask else None,
                **picture_limits(),
            )
        except (PictureError, StorageFailed):
            return True

    def warnings(self, product: Model) -> Iterator[str]:
        """Yield which way a session goes, and that the model's picture is smaller than the one that is
        edited."""
        if self.session:
            yield self._previous.sentence
        size = PIXELS.get(self.ratio, {}).get(self.tier.size)
        if size is not None and size.width < 0.97 * self.image.width:
            yield (
                _(
                    "The picture is %(width)s pixels wide and the tier “%(tier)s” makes %(made)s: what it "
                    "changes gets softer. Choose a larger tier to keep the detail."
                )
                % {"width": self.image.width, "tier": self.tier.name, "made": size.width}
            )

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the same edit once more: the picture was rejected, and another one is asked for."""
        take = int(spec.edit.get("take", 1))
        return replace(spec, edit={**spec.edit, "take": take + self.candidates})


def references_of(image: ProductImage) -> int:
    """Return how many pictures are sent with an edit of ``image``: itself, and the photo of its product, or
    those of its parts. A mask is one more."""
    return 1 + (len(image.spec.get("parts") or ()) or 1)


def earlier_instructions(image: ProductImage) -> list[str]:
    """Return the instructions that led to ``image``, the first one first, as far back as prompts repeat them.

    One query for each step.
    """
    found: list[str] = []
    step: ProductImage | None = image
    while step is not None and len(found) < MOST_EARLIER and (edit := step.spec.get("edit")):
        if instruction := edit.get("instruction"):
            found.append(str(instruction))
        step = step.parent
    return found[::-1]
