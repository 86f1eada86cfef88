"""The column of the dashboard's list of products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tables2 import Column

from nb_catalog.admin.product_pictures import PicturesOfProduct, pictures_of_products
from nb_catalog.contrib.oscar.site import site
from nb_catalog.core.permissions import Action, may
from nb_catalog.registry import is_registered, source_for, subject_of

__all__ = ["PicturesColumn"]


class PicturesColumn(Column):
    """The newest picture of each product, how many there are, and the way to more.

    It takes four queries for a page of any length.
    """

    def __init__(self, **options: Any) -> None:
        names = {"verbose_name": _("Pictures"), "orderable": False, "empty_values": ()}
        super().__init__(**{**names, **options})

    def render(self, record: Model, table: Any) -> SafeString | str:
        if not is_registered(type(record)):
            return "—"
        user = table.request.user
        parts = []
        if may(user, Action.VIEW_IMAGES):
            shown, subject = _shown(table)[record], subject_of(record)
            url = reverse(f"{site.name}:nb_catalog_productimage_review")
            query = {"model": source_for(subject).label, "product": subject.pk, "state": "all"}
            parts.append(
                format_html(
                    '<a href="{}?{}">{}{}</a>',
                    url,
                    urlencode(query),
                    format_html('<img src="{}" width="56" alt=""><br>', shown.thumbnail_url)
                    if shown.thumbnail_url
                    else "",
                    shown.counts or gettext("No pictures"),
                )
            )
        if may(user, Action.PLAN):
            url = site.choose_url(type(record), keys=[record.pk])
            parts.append(format_html('<a href="{}">{}</a>', url, gettext("Generate pictures…")))
        return format_html("{}<br>{}", *parts) if len(parts) == 2 else "".join(parts) or "—"


def _shown(table: Any) -> Mapping[Model, PicturesOfProduct]:
    """Return the pictures of all products of the table's page, which are read once."""
    if not hasattr(table, "catalog_pictures"):
        rows = [row.record for row in table.paginated_rows]
        table.catalog_pictures = pictures_of_products(rows, site=site)
    return table.catalog_pictures
