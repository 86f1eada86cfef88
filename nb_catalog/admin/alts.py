"""The page of a picture's alternative texts: one field a language, with what the shop would say itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import translation
from django.utils.translation import gettext, ngettext

from nb_catalog import locales, review
from nb_catalog.admin import previews
from nb_catalog.admin.filters import pictures
from nb_catalog.conf import settings
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage
from nb_catalog.models.alts import LONGEST_ALT
from nb_catalog.storefront import alts
from nb_catalog.types import Permission


class Field(NamedTuple):
    """What is written in a language, what the shop says without it, and what could be written."""

    locale: str
    name: str
    text: str
    unwritten: str
    suggestion: str


class AltPages:
    """Alternative texts, as a further page of ``ProductImageAdmin``."""

    def alt_urls(self) -> list[URLPattern]:
        return [self.page("<int:pk>/alt/", self.alt, name="alt")]

    def alt(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET shows the texts, POST writes them. Permissions view and review."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        image = get_object_or_404(pictures(), pk=pk)
        objections: tuple[str, ...] = ()
        given: Mapping[str, str] = {}
        if request.method == "POST":
            if not request.user.has_perm(Permission.REVIEW):
                raise PermissionDenied
            given = _given(request, image)
            try:
                changed = review.describe(image, given, actor=request.user)
            except RequestRefused as refusal:
                objections = refusal.objections
            else:
                said = ngettext("%d text was written.", "%d texts were written.", changed)
                self.message_user(request, said % changed, messages.SUCCESS)
                return redirect(f"{self.url_of('review')}?picture={image.pk}")
        context = self.page_context(
            request,
            title=gettext("Alternative texts of picture %d") % image.pk,
            image=image,
            large_url=previews.thumbnail_url(image, site=self.admin_site, width=previews.LARGE),
            fields=list(_fields(image, given=given)),
            longest=LONGEST_ALT,
            objections=objections,
            may_write=request.user.has_perm(Permission.REVIEW),
        )
        return TemplateResponse(request, "admin/nb_catalog/productimage/alt.html", context)


def _given(request: HttpRequest, image: ProductImage) -> dict[str, str]:
    names = ((code, f"alt-{code}") for code in _locales(image))
    return {code: request.POST[name] for code, name in names if name in request.POST}


def _locales(image: ProductImage) -> list[str]:
    """Those in which the picture can be shown: its own, where it has words; else those of the shop."""
    shown = (image.locale,) if image.locale else settings.LOCALES
    return list(dict.fromkeys((*shown, *image.alts.values_list("locale", flat=True))))


def _fields(image: ProductImage, *, given: Mapping[str, str]) -> Iterator[Field]:
    standing: dict[str, Any] = dict(image.alts.values_list("locale", "text"))
    product = image.catalog_object
    for code in _locales(image):
        name, text = str(locales.parsed(code).display_name), given.get(code, standing.get(code, ""))
        if product is None:
            yield Field(code, name, text, "", "")
            continue
        with translation.override(code):
            unwritten = alts.unwritten(product, image, locale=code)
            yield Field(code, name, text, unwritten, alts.suggestion(product, image, locale=code))
