"""The page for a picture's alternative texts: one field per language, with the shop's default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog import publishing
from nb_catalog.admin import text_progress, thumbnails
from nb_catalog.admin.formatting import dollars, language_name
from nb_catalog.admin.review.forms import pictures
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import JobKind
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.models import ProductImage
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.publishing import alt_text


class AltTextViews:
    """Alternative texts, as additional pages of ``ProductImageAdmin``."""

    def alt_urls(self) -> list[URLPattern]:
        propose = require_POST(self.propose_alts)
        return [
            self.page(
                "<int:pk>/alt/",
                self.alt,
                name="alt",
                action=Action.VIEW_IMAGES,
                api="image_alt image_alt_texts image_discard_alt",
            ),
            self.page(
                "<int:pk>/alt/propose/",
                propose,
                name="propose_alts",
                action=Action.PROPOSE_ALTS,
                api="image_propose_alt",
            ),
        ]

    def alt(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET shows the texts; POST saves them and accepts or discards proposals.

        Requires the permissions view and, for POST, review.
        """
        image = get_object_or_404(pictures(), pk=pk)
        objections: tuple[str, ...] = ()
        posted: Mapping[str, str] = {}
        if request.method == "POST":
            if not may(request.user, Action.REVIEW):
                raise PermissionDenied
            # An accepted proposal is saved as it was read, even if it has changed since.
            posted = {
                **_posted(request, image, "alt"),
                **_posted(request, image, "accept"),
            }
            try:
                changed = publishing.set_alt_texts(image, posted, actor=request.user)
            except RequestRefused as refusal:
                objections = refusal.objections
            else:
                discarded = alt_text.discard_alt_texts(
                    image, list(_posted(request, image, "discard"))
                )
                message = ngettext("%d text saved.", "%d texts saved.", changed) % changed
                if discarded:
                    more = ngettext(
                        "%d proposal was discarded.", "%d proposals were discarded.", discarded
                    )
                    message = f"{message} {more % discarded}"
                self.message_user(request, message, messages.SUCCESS)
                return redirect(f"{self.url_of('review')}?picture={image.pk}")
        context = self.page_context(
            request,
            title=gettext("Alternative texts of picture %d") % image.pk,
            image=image,
            large_url=thumbnails.thumbnail_url(image, site=self.admin_site, width=thumbnails.LARGE),
            # Texts that were refused replace the stored ones.
            fields=[
                each._replace(text=posted.get(each.locale, each.text))
                for each in alt_text.texts_of(image)
            ],
            longest=LONGEST_ALT,
            objections=objections,
            may_write=may(request.user, Action.REVIEW),
            offer=_offer(image) if may(request.user, Action.PROPOSE_ALTS) else None,
            requested=text_progress.shown(text_requests.progress_of(image, kind=JobKind.ALT_TEXT)),
        )
        return TemplateResponse(request, "admin/nb_catalog/productimage/alt.html", context)

    def propose_alts(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: request proposals for missing texts, which may cost money.

        Requires the permissions view, review and generate.
        """
        image = get_object_or_404(pictures(), pk=pk)
        try:
            codes = alt_text.locales_for(image)
            run = publishing.request_alt_texts(image, codes, actor=request.user)
        except (RequestRefused, InvalidSettings) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            if run is None:
                self.message_user(request, gettext("No text is missing."), messages.INFO)
        return redirect(self.url_of("alt", image.pk))


def _posted(request: HttpRequest, image: ProductImage, prefix: str) -> dict[str, str]:
    """Return the posted fields named "prefix-locale", by locale."""
    names = {code: f"{prefix}-{code}" for code in alt_text.locales_for(image)}
    return {code: request.POST[name] for code, name in names.items() if name in request.POST}


def _may_propose(request: HttpRequest) -> bool:
    return may(request.user, Action.PROPOSE_ALTS)


def _offer(image: ProductImage) -> dict[str, Any] | None:
    """Return the provider's name, the languages and the price of proposals for ``image``; None without."""
    if (offer := alt_text.offer(image)) is None:
        return None
    languages = ", ".join(map(language_name, offer.locales))
    return {"name": offer.name, "languages": languages, "price": dollars(offer.usd)}
