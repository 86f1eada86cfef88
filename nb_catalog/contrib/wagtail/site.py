"""The pages of this app inside Wagtail's admin."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.models import Page
from wagtail.permission_policies.pages import PagePermissionPolicy

from nb_catalog.contrib.frames import FramedSite
from nb_catalog.core.permissions import may_view

__all__ = ["site"]


class WagtailSite(FramedSite):
    """For all who may access Wagtail's admin, whether or not they are staff."""

    frame_template = "nb_catalog/wagtail/frame.html"
    login_url_name = "wagtailadmin_login"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("wagtailadmin.access_admin")

    def catalog_object_url(self, product: Model) -> str:
        return AdminURLFinder().get_edit_url(product) or ""

    def choosable(self, rows: QuerySet[Any], *, user: Any) -> QuerySet[Any]:
        """Return the pages that ``user`` may edit; of other models all rows, if their permissions say so."""
        if issubclass(rows.model, Page):
            pages = PagePermissionPolicy().instances_user_has_permission_for(user, "change")
            return rows.filter(pk__in=pages.values("pk"))
        return rows if may_view(user, rows.model) else rows.none()


site = WagtailSite(name="nb_catalog_wagtail")
