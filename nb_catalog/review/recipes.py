"""The recipe of a picture: prompt, references, model, seed and cost, as they were when it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.money import usd
from nb_catalog.providers import provider
from nb_catalog.review.photo_origins import PhotoOrigin, PhotoState


class ReferenceRole(TextChoices):
    """What a file was to a picture that was made with it."""

    PHOTO = "photo", _("Photo of the product")
    PARENT = "parent", _("Picture that was edited")
    BASE = "base", _("Picture below the text")
    ANCHOR = "anchor", _("Anchor of the series")
    PLACE = "place", _("Photo of the place")
    DRAFT = "draft", _("Draft")
    MASK = "mask", _("Mask of the product")
    AREA = "area", _("Mask of what changes")


class CostKind(TextChoices):
    """How well the cost of a picture is known."""

    FREE = "free", _("Free: made here, without a provider that charges.")
    REPORTED = "reported", _("As the provider reported it, or an invoice said.")
    OPEN = "open", _("Not all of it was reported. What is open stays reserved at its estimate.")
    UNKNOWN = "unknown", _("Not known: the record of the call was deleted with its job.")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedReference:
    """A file that a picture was made with.

    ``sha256`` is that of the bytes that a model got, otherwise of the file; "" where it was not recorded.
    ``changes`` are codes of what was done to the product's photo before it was sent. ``image`` is the key of
    the picture whose file it is, if it is one.
    """

    role: ReferenceRole
    name: str
    sha256: str
    changes: tuple[str, ...] = ()
    image: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the calls for a picture cost, in USD: ``reported_usd`` altogether, and ``open_usd``, which was
    reserved for calls whose cost is not known."""

    kind: CostKind
    reported_usd: Decimal = Decimal(0)
    open_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """``prompt`` and ``system`` are exactly as they were sent, "" without a model. ``seed`` is that of a
    rendered scene, None where a model has drawn it: models get none. ``calls`` are those of its job, failed
    ones included."""

    spec: ImageSpec
    prompt: str = field(repr=False)
    system: str = field(repr=False)
    model_version: str
    seed: int | None
    references: tuple[UsedReference, ...]
    calls: tuple[ProviderCall, ...]
    cost: Cost | None


def recipe_of(image: ProductImage, *, photos: Sequence[PhotoOrigin] = ()) -> Recipe:
    """Return the recipe of ``image``. Two queries; ``image.job`` is read as well, unless it is prefetched.

    ``photos`` are those that its family began with: where they are still there, their digests are known.
    """
    spec = ImageSpec.of_image(image.spec)
    calls: Sequence[ProviderCall] = ()
    if image.job_id is not None:
        rows = ProviderCall.objects.filter(job=image.job_id).select_related("settled_by")
        calls = tuple(rows.order_by("pk"))
    return Recipe(
        spec=spec,
        prompt=spec.prompt,
        system=spec.system,
        model_version=str(image.provenance.get("model_version", "")),
        seed=spec.seed if spec.renderer and spec.scene and not (spec.base or spec.edit) else None,
        references=_references(image, spec, photos=photos),
        calls=tuple(calls),
        cost=_cost(image, spec, calls),
    )


def _references(
    image: ProductImage, spec: ImageSpec, *, photos: Sequence[PhotoOrigin]
) -> tuple[UsedReference, ...]:
    known = {
        each.name: each.cutout.photo_sha256
        for each in photos
        if each.state == PhotoState.CURRENT and each.cutout is not None
    }
    found = list(_used(spec, photo_sent=image.spec.get("photo_sent", {}), known=known))
    digests = {each.sha256 for each in found if each.sha256}
    rows = ProductImage.objects.filter(sha256__in=digests).order_by("-pk")
    keys: dict[str, int] = dict(rows.values_list("sha256", "pk")) if digests else {}
    return tuple(replace(each, image=keys.get(each.sha256)) for each in found)


def _used(
    spec: ImageSpec, *, photo_sent: Mapping[str, Any], known: Mapping[str, str]
) -> Iterator[UsedReference]:
    """Yield what a picture was made with, in the order in which a model gets it."""
    edit, roles = spec.edit, ReferenceRole
    if edit:
        yield UsedReference(
            role=roles.PARENT, name=str(edit.get("file", "")), sha256=str(edit.get("parent", ""))
        )
    if spec.base and not edit:
        name = spec.photo if spec.sets_text else spec.canvas
        yield UsedReference(role=roles.BASE, name=name, sha256=spec.base)
    if not (spec.sets_text or spec.is_adjusted):
        for part in spec.part_specs or (spec,):
            sent = {} if spec.parts else photo_sent
            yield UsedReference(
                role=roles.PHOTO,
                name=part.photo,
                sha256=str(sent.get("sha256") or known.get(part.photo, "")),
                changes=tuple(sent.get("changes", ())),
            )
            if part.cutout and not edit:
                yield UsedReference(role=roles.MASK, name="", sha256=part.cutout)
    if not edit:
        for role, name, sha256 in (
            (roles.ANCHOR, spec.anchor_file, spec.anchor),
            (roles.PLACE, spec.backdrop_file, spec.backdrop),
            (roles.DRAFT, spec.draft_file, spec.draft),
        ):
            if name:
                yield UsedReference(role=role, name=name, sha256=sha256)
    for role, stored in ((roles.MASK, edit.get("mask")), (roles.AREA, edit.get("area"))):
        if stored:
            yield UsedReference(
                role=role, name=str(stored.get("file", "")), sha256=str(stored.get("sha256", ""))
            )


def _cost(image: ProductImage, spec: ImageSpec, calls: Sequence[ProviderCall]) -> Cost:
    sent = [each for each in calls if each.outcome != CallOutcome.NOT_SENT]
    if not sent:
        is_free = False
        if image.job is not None:
            is_free = image.job.is_free
        else:
            # Its job was deleted. A provider that is not configured any more may have cost something.
            with suppress(NBCatalogError):
                is_free = bool(provider(spec.provider).composites)
        return Cost(kind=CostKind.FREE if is_free else CostKind.UNKNOWN)
    unreported = [each for each in sent if each.cost_microusd is None]
    return Cost(
        kind=CostKind.OPEN if unreported else CostKind.REPORTED,
        reported_usd=usd(sum(each.cost_microusd or 0 for each in sent)),
        open_usd=usd(sum(each.estimate_microusd for each in unreported)),
    )
