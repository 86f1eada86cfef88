"""The page of a picture's alternative texts: one field a language, with what the shop would say itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import translation
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog.admin import thumbnails
from nb_catalog.admin.formatting import dollars
from nb_catalog.admin.review.forms import pictures
from nb_catalog.core import locales
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import InvalidSettings, NBCatalogError, RequestRefused
from nb_catalog.models import AltProposal, ProductImage
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.publishing import alt_text as describing
from nb_catalog.storefront import alt_text as alts


class AltTextField(NamedTuple):
    """What is written in a language, what the shop says without it, and what could be written: from what
    is known, and as a machine proposes it."""

    locale: str
    name: str
    text: str
    unwritten: str
    suggestion: str
    proposal: AltProposal | None


class AltTextViews:
    """Alternative texts, as a further page of ``ProductImageAdmin``."""

    def alt_urls(self) -> list[URLPattern]:
        propose = require_POST(self.propose_alts)
        return [
            self.page("<int:pk>/alt/", self.alt, name="alt"),
            self.page("<int:pk>/alt/propose/", propose, name="propose_alts"),
        ]

    def alt(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET shows the texts; POST writes them, takes proposals over and throws them away. Permissions
        view and review."""
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
                changed = describing.set_alt_texts(image, given, actor=request.user)
            except RequestRefused as refusal:
                objections = refusal.objections
            else:
                discarded = describing.discard_alt_texts(image, _ticked(request, image, "discard"))
                self.message_user(request, _told(changed, discarded), messages.SUCCESS)
                return redirect(f"{self.url_of('review')}?picture={image.pk}")
        context = self.page_context(
            request,
            title=gettext("Alternative texts of picture %d") % image.pk,
            image=image,
            large_url=thumbnails.thumbnail_url(image, site=self.admin_site, width=thumbnails.LARGE),
            fields=list(_fields(image, given=given)),
            longest=LONGEST_ALT,
            objections=objections,
            may_write=request.user.has_perm(Permission.REVIEW),
            offer=_offer(image) if _may_propose(request) else None,
        )
        return TemplateResponse(request, "admin/nb_catalog/productimage/alt.html", context)

    def propose_alts(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: have what is lacking proposed. It may cost money: permissions view, review and generate."""
        if not self.has_view_permission(request) or not _may_propose(request):
            raise PermissionDenied
        image = get_object_or_404(pictures(), pk=pk)
        try:
            wanted = describing.locales_for(image)
            outcome = describing.propose_alt_texts(image, wanted, actor=request.user)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            said = ngettext(
                "%d proposal to accept.",
                "%d proposals to accept.",
                outcome.written,
            )
            self.message_user(request, said % outcome.written, messages.SUCCESS)
            for sentence in outcome.refused:
                self.message_user(request, sentence, messages.WARNING)
        return redirect(self.url_of("alt", image.pk))


def _given(request: HttpRequest, image: ProductImage) -> dict[str, str]:
    """What was typed, and in its place what was accepted: as it was read, whatever is proposed by now."""
    names = ((code, f"alt-{code}") for code in describing.locales_for(image))
    typed = {code: request.POST[name] for code, name in names if name in request.POST}
    accepted = _ticked(request, image, "accept")
    return {**typed, **{code: request.POST[f"accept-{code}"] for code in accepted}}


def _ticked(request: HttpRequest, image: ProductImage, what: str) -> list[str]:
    return [code for code in describing.locales_for(image) if f"{what}-{code}" in request.POST]


def _told(changed: int, discarded: int) -> str:
    said = ngettext("%d text saved.", "%d texts saved.", changed) % changed
    if not discarded:
        return said
    more = ngettext("%d proposal was discarded.", "%d proposals were discarded.", discarded)
    return f"{said} {more % discarded}"


def _may_propose(request: HttpRequest) -> bool:
    return request.user.has_perms([Permission.REVIEW, Permission.GENERATE])


def _offer(image: ProductImage) -> dict[str, Any] | None:
    """Who would be asked, and what for; None where nobody is, or the setting is wrong, which ``check``
    says."""
    try:
        found = describing.offer(image)
    except (InvalidSettings, RequestRefused):
        return None
    if found is None:
        return None
    return {"name": found.name, "languages": _names(found.locales), "price": dollars(found.usd)}


def _names(codes: Iterable[str]) -> str:
    return ", ".join(str(locales.parse_locale(code).display_name) for code in codes)


def _fields(image: ProductImage, *, given: Mapping[str, str]) -> Iterator[AltTextField]:
    standing: dict[str, Any] = dict(image.alts.values_list("locale", "text"))
    proposals = {each.locale: each for each in image.alt_proposals.all()}
    product = image.catalog_object
    for code in describing.locales_for(image):
        name, text = (
            str(locales.parse_locale(code).display_name),
            given.get(code, standing.get(code, "")),
        )
        if product is None:
            yield AltTextField(code, name, text, "", "", proposals.get(code))
            continue
        with translation.override(code):
            unwritten = alts.default_alt(product, image, locale=code)
            suggestion = alts.suggestion(product, image, locale=code)
        yield AltTextField(code, name, text, unwritten, suggestion, proposals.get(code))
