"""Make one like this: pages of plans that begin with the options of a picture."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.http import HttpRequest
from django.utils import timezone

from nb_catalog import generation
from nb_catalog.core.permissions import Action, may
from nb_catalog.generation.similar import PlanKind
from nb_catalog.models import ProductImage

# The parameter with the picture's key, and where the session has it until products are chosen.
LIKE: Final = "like"
REMEMBERED: Final = "nb_catalog_like"
# Seconds for which a picture is remembered: who does something else first has forgotten it as well.
REMEMBERED_FOR: Final = 900
PAGES: Final = {
    PlanKind.BACKGROUNDS: "generate",
    PlanKind.TEXTS: "texts",
    PlanKind.PHOTOS: "photos",
}


class Liked(NamedTuple):
    """The picture that a page begins like: the form's values, and sentences about what is different."""

    pk: int
    initial: dict[str, Any]
    changes: tuple[str, ...]


def remember(request: HttpRequest, image: ProductImage) -> None:
    """Begin the next page of a plan that the user opens like ``image``."""
    request.session[REMEMBERED] = [image.pk, timezone.now().timestamp()]


def liked(request: HttpRequest, *, kind: PlanKind) -> Liked | None:
    """Return the picture that the page of a plan of this ``kind`` begins like; None for any other page.

    A remembered one is forgotten by the first page that takes it.
    """
    pk = request.GET.get(LIKE, "")
    if not pk:
        remembered, since = request.session.get(REMEMBERED, (0, 0.0))
        pk = str(remembered) if timezone.now().timestamp() - since < REMEMBERED_FOR else ""
    if not pk.isdecimal() or not may(request.user, Action.VIEW_IMAGES):
        return None
    image = ProductImage.objects.filter(pk=int(pk[:18])).first()
    if image is None:
        return None
    plan = generation.similar_plan(image)
    if plan.kind != kind:
        return None
    request.session.pop(REMEMBERED, None)
    initial = dict(plan.arguments)
    if "variants" in initial and request.GET.get("key") == image.object_id:
        # Its variants exist: one more is a new picture.
        initial["variants"] = plan.further_variants
    return Liked(pk=image.pk, initial=initial, changes=plan.changes)
