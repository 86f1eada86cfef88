"""Which cut-outs a user may see and change: those of models whose products the user may view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from nb_catalog.core.permissions import Action, may, may_view
from nb_catalog.core.types import PhotoKind
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import registered


def visible_to(user: Any) -> QuerySet[PhotoCutout]:
    """Return the cut-outs of models that ``user`` may view."""
    hidden = [content_type_of(model).pk for model in registered() if not may_view(user, model)]
    rows: QuerySet[PhotoCutout] = PhotoCutout.objects.all()
    # Without a condition where nothing is hidden: the list is in the order of an index.
    return rows.exclude(content_type__in=hidden) if hidden else rows


def may_each(user: Any, action: Action, cutouts: Iterable[PhotoCutout]) -> bool:
    """Return whether ``user`` may do ``action`` to each of ``cutouts``."""
    models: set[type[Model] | None] = {
        ContentType.objects.get_for_id(type_id).model_class()
        for type_id in {cutout.content_type_id for cutout in cutouts}
    }
    return may(user, action) and all(may(user, action, model=model) for model in models)


def doubtful() -> Q:
    """Return the condition for cut-outs whose outline a person should look at: doubtful, and of photos that
    are cut out at all."""
    uncut = (PhotoKind.FULL_FRAME, PhotoKind.LIFESTYLE)
    return Q(state=CutoutState.DOUBTFUL) & ~Q(kind__in=uncut)
