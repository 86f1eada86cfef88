"""The family of a picture: what it was made from, back to the product's photo, and what was made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.imaging.adjust.words import describe_adjustments
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind

# Pictures of a family that are listed.
MOST_RELATIVES: Final = 200

# Primary key, those of the pictures that it was made from and is a final of, and its kind.
Link = tuple[int, int | None, int | None, str]


class Role(TextChoices):
    """What a picture is in its family."""

    BACKDROP = "backdrop", _("Background")
    UNFRAMED = "unframed", _("Before it was framed")
    UNMERGED = "unmerged", _("Answer of the model, before the rest was put back")
    OWN_PHOTO = "own_photo", _("The product’s own photo")
    PICTURE = "picture", _("Picture")
    DRAFT = "draft", _("Draft")
    FINAL = "final", _("Final")
    ADJUSTED = "adjusted", _("Adjusted")
    EDITED = "edited", _("Edited in words")
    TEXT = "text", _("With text")
    PAINTED_TEXT = "painted_text", _("With painted text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A picture of a family.

    ``above`` is the key of the picture that it hangs below, None for the first one; ``depth`` is 0 there.
    ``step`` is what was done to the one above, "" if ``role`` says it all.
    """

    image: ProductImage
    above: int | None
    depth: int
    role: Role
    step: str

    @property
    def is_pruned(self) -> bool:
        """Whether its file was deleted; the row remains."""
        return self.image.pruned_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Pictures in the order of a tree: each is followed by those below it. ``left_out`` counts those that
    are too many to be listed."""

    relatives: tuple[Relative, ...]
    left_out: int

    @property
    def first(self) -> ProductImage:
        return self.relatives[0].image


def family_of(
    image: ProductImage,
    *,
    rows: QuerySet[ProductImage] | None = None,
    may_read_prompts: bool = True,
    most: int = MOST_RELATIVES,
) -> Family:
    """Return the family of ``image``, of which at most ``most`` pictures and those above it are listed.

    Two queries, whatever its size, and those that ``rows`` prefetches. Without ``may_read_prompts``,
    instructions to models are left out.
    """
    pictures = ProductImage.objects.all() if rows is None else rows
    links = ProductImage.objects.filter(
        content_type_id=image.content_type_id, object_id=image.object_id
    ).order_by("pk")
    above = _above(list(links.values_list("pk", "parent_id", "draft_id", "kind")))
    path = [image.pk]
    while (key := above.get(path[-1])) is not None and key in above and key not in path:
        path.append(key)
    order = _in_order(path[-1], above)
    listed = {*list(order)[:most], *path}
    found = pictures.filter(pk__in=listed).defer("provenance", "checks").in_bulk()
    drafts = {row.draft_id for row in found.values()}
    relatives = [
        Relative(
            image=found[key],
            above=above[key] if depth else None,
            depth=depth,
            role=_role_of(found[key], drafts=drafts),
            step=_step_of(found[key], may_read_prompts=may_read_prompts),
        )
        for key, depth in order.items()
        if key in listed and key in found
    ]
    return Family(relatives=tuple(relatives), left_out=len(order) - len(relatives))


def _above(links: Sequence[Link]) -> dict[int, int | None]:
    """Return, for each picture, the one that it hangs below: the draft of a final, with what the final was
    composed from between the two, and of others what they were made from."""
    kinds = {key: kind for key, _parent, _draft, kind in links}
    above: dict[int, int | None] = {key: parent for key, parent, _draft, _kind in links}
    for key, parent, draft, _kind in links:
        if draft is None:
            continue
        if parent is None or kinds.get(parent, ImageKind.PICTURE) == ImageKind.PICTURE:
            above[key] = draft
        elif above[parent] is None:
            above[parent] = draft
    return above


def _in_order(first: int, above: Mapping[int, int | None]) -> dict[int, int]:
    """Return the depths of ``first`` and all below it, each followed by what hangs below it."""
    below: dict[int, list[int]] = defaultdict(list)
    for key, upper in above.items():
        if upper is not None:
            below[upper].append(key)
    depths: dict[int, int] = {}
    waiting = [(first, 0)]
    while waiting:
        key, depth = waiting.pop()
        if key not in depths:
            depths[key] = depth
            waiting += [(child, depth + 1) for child in sorted(below[key], reverse=True)]
    return depths


def _role_of(image: ProductImage, *, drafts: Iterable[int | None]) -> Role:
    if image.kind != ImageKind.PICTURE:
        return Role(image.kind)
    spec = ImageSpec.of_image(image.spec)
    if spec.edit:
        return Role.ADJUSTED if spec.is_adjusted else Role.EDITED
    if spec.base:
        return Role.TEXT if spec.sets_text else Role.PAINTED_TEXT
    if image.draft_id is not None:
        return Role.FINAL
    if spec.is_own_photo:
        return Role.OWN_PHOTO
    return Role.DRAFT if image.pk in drafts else Role.PICTURE


def _step_of(image: ProductImage, *, may_read_prompts: bool) -> str:
    spec = ImageSpec.of_image(image.spec)
    if spec.is_adjusted:
        return describe_adjustments(spec.edit["adjustments"])
    if spec.edit:
        return gettext("“%s”") % spec.edit.get("instruction", "") if may_read_prompts else ""
    if spec.base:
        texts = " · ".join(map(str, spec.renderer.get("texts", {}).values()))
        return f"{spec.locale}: {texts}" if texts else str(spec.locale)
    return ""
