"""Whether a picture may be published whose product differs from its photo: ``FIDELITY["REQUIRE"]``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.types import Actor, Permission
from nb_catalog.exceptions import FidelityRefused
from nb_catalog.imaging.fidelity import describe_reason, fidelity_in
from nb_catalog.models import PlacementEvent, ProductImage

# Pictures that are named in a refusal.
MOST_NAMED: Final = 20


def needs_override(image: ProductImage) -> bool:
    """Return whether ``image`` is published only with the permission to override and a reason."""
    if settings.FIDELITY["REQUIRE"] != "block":
        return False
    fidelity = fidelity_in(image.checks)
    return fidelity is not None and fidelity.fails


def fidelity_notes(images: Iterable[ProductImage], *, actor: Actor, reason: str) -> dict[int, str]:
    """Return the reason to be recorded with the publication of each of ``images``, by its key; "" if it
    needs none.

    A reason that was recorded before holds for the same picture, for other texts on it, and for those who
    roll back to it. Raises ``FidelityRefused`` if one is needed and missing, or ``actor`` may not give it.
    One query at most.
    """
    images, reason = list(images), reason.strip()
    notes = dict.fromkeys((image.pk for image in images), "")
    failing = [image for image in images if needs_override(image)]
    if failing and not reason:
        overridden = _overridden(failing)
        failing = [image for image in failing if image.pk not in overridden]
    if not failing:
        return notes
    may_override = actor is not None and actor.has_perm(Permission.OVERRIDE_FIDELITY)
    if not may_override or not reason:
        failures: list[str] = []
        for image in failing[:MOST_NAMED]:
            about = _("The product on picture %(pk)s differs from its photo.") % {"pk": image.pk}
            fidelity = fidelity_in(image.checks)
            reasons = fidelity.reasons if fidelity else ()
            failures += [about, *(describe_reason(code) for code in reasons)]
        raise FidelityRefused(
            *failures,
            _("Give the reason why it is published all the same.")
            if may_override
            else _(
                "This site publishes it only with the permission “Can publish pictures whose product "
                "differs from its photo”."
            ),
        )
    return notes | dict.fromkeys((image.pk for image in failing), reason)


def _overridden(images: Iterable[ProductImage]) -> set[int]:
    """Return the keys of those of ``images`` for which someone gave a reason, or for a picture with the same
    product pixels: what text was set on, and other texts on that."""
    # Below texts, the picture with the product counts; otherwise the image itself.
    below = {image.pk: image.parent_id if image.spec.get("base") else image.pk for image in images}
    with_reason = PlacementEvent.objects.exclude(note="")
    own = Q(image_after__in=[*below, *below.values()])
    texts = Q(image_after__parent__in=[base for pk, base in below.items() if base != pk])
    rows = list(with_reason.filter(own | texts).values_list("image_after", "image_after__parent"))
    images_with_reason = {image for image, _parent in rows}
    parents = {parent for _image, parent in rows}
    return {
        pk
        for pk, base in below.items()
        if pk in images_with_reason
        or (base not in (None, pk) and (base in images_with_reason or base in parents))
    }
