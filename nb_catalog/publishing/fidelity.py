"""Whether a picture may be published whose product differs from its photo: ``FIDELITY["REQUIRE"]``."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.types import Actor, Permission
from nb_catalog.exceptions import FidelityRefused
from nb_catalog.imaging.fidelity import describe_reason, fidelity_in
from nb_catalog.models import PlacementEvent, ProductImage


def needs_override(image: ProductImage) -> bool:
    """Return whether ``image`` is published only with the permission to override and a reason."""
    if settings.FIDELITY["REQUIRE"] != "block":
        return False
    fidelity = fidelity_in(image.checks)
    return fidelity is not None and fidelity.fails


def require_fidelity(image: ProductImage, *, actor: Actor, reason: str) -> str:
    """Return the reason to be recorded with the publication of ``image``; "" if it needs none.

    A reason that was recorded before holds for the same picture, for other texts on it, and for those who
    roll back to it. Raises ``FidelityRefused`` if one is needed and missing, or ``actor`` may not give it.
    """
    if not needs_override(image):
        return ""
    reason = reason.strip()
    if not reason and _was_overridden(image):
        return ""
    fidelity = fidelity_in(image.checks)
    why = [describe_reason(code) for code in (fidelity.reasons if fidelity else ())]
    first = _("The product on picture %(pk)s differs from its photo.") % {"pk": image.pk}
    if actor is None or not actor.has_perm(Permission.OVERRIDE_FIDELITY):
        raise FidelityRefused(
            first,
            *why,
            _(
                "This site publishes it only with the permission “Can publish pictures whose product "
                "differs from its photo”."
            ),
        )
    if not reason:
        raise FidelityRefused(first, *why, _("Give the reason why it is published all the same."))
    return reason


def _was_overridden(image: ProductImage) -> bool:
    """Return whether someone gave a reason for ``image``, or for a picture with the same product pixels:
    what text was set on, and other texts on that."""
    same = Q(image_after=image.pk)
    if image.spec.get("base"):
        same |= Q(image_after__parent=image.parent_id) | Q(image_after=image.parent_id)
    return PlacementEvent.objects.filter(same).exclude(note="").exists()
