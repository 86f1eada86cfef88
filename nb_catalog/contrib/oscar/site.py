"""The pages of this app inside Oscar's dashboard."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from oscar.core.loading import get_model

from nb_catalog.contrib.frames import FramedSite
from nb_catalog.contrib.oscar.navigation import SITE, may_enter

__all__ = ["site"]


class OscarSite(FramedSite):
    """For all who may open the dashboard: staff, and people of partners."""

    frame_template = "nb_catalog/oscar/frame.html"
    login_url_name = "dashboard:login"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

    def catalog_object_url(self, product: Model) -> str:
        if not isinstance(product, get_model("catalogue", "Product")):
            return ""
        return reverse("dashboard:catalogue-product", args=[product.pk])

    def choosable(self, rows: QuerySet[Any], *, user: Any) -> QuerySet[Any]:
        """Return what the dashboard's list of products shows: to people of partners, theirs."""
        if user.is_staff:
            return rows
        if not issubclass(rows.model, get_model("catalogue", "Product")):
            return rows.none()
        records = "stockrecords__partner__users__pk"
        return rows.filter(
            Q(**{records: user.pk}) | Q(**{f"children__{records}": user.pk})
        ).distinct()


site = OscarSite(name=SITE)
