"""What the dashboard's list of products offers for those that are selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from nb_catalog.contrib.oscar.site import site
from nb_catalog.core.permissions import Action, may
from nb_catalog.registry import is_registered

__all__ = ["GeneratePictures"]

NAME: Final = "generate_catalog_pictures"


class GeneratePictures:
    """A bulk action that goes on to the plan, where everything else is asked."""

    def __str__(self) -> str:
        return gettext("Generate pictures…")

    def execute(self, request: HttpRequest, objects: QuerySet[Any]) -> HttpResponse:
        return site.plan(request, objects.model, keys=list(objects.values_list("pk", flat=True)))


def with_pictures(get_actions: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Return ``get_actions`` of a view of products, with one more action for those who may generate."""

    def with_one_more(view: Any) -> dict[str, Any]:
        actions = get_actions(view)
        if is_registered(view.model) and may(view.request.user, Action.PLAN):
            return {**actions, NAME: GeneratePictures()}
        return actions

    return with_one_more
