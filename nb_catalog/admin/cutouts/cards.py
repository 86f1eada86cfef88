"""What lists, cards and the editor show of a cut-out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.formats import number_format
from django.utils.http import quote_etag
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import catalog_objects
from nb_catalog.admin.cutouts.decisions import KIND_NAMES
from nb_catalog.admin.thumbnails import FOREVER
from nb_catalog.core.types import PhotoKind
from nb_catalog.cutouts import previews
from nb_catalog.cutouts.records import PHOTO_CHANGED
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.imaging.cutout import describe_reason
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState

METHODS: Final = {
    "alpha": _("transparency of the photo"),
    "classical": _("colour of the background"),
    "network": _("network"),
    "fused": _("network and colour of the background"),
    "person": _("by a person"),
}


def prepare(rows: Iterable[PhotoCutout], *, site: AdminSite) -> list[PhotoCutout]:
    """Return ``rows`` as a list, with the attributes that lists and templates read.

    The number of queries does not depend on the number of rows.
    """
    cutouts = list(rows)
    catalog_objects.attach_info(cutouts, site=site)
    for cutout in cutouts:
        cutout.cut_url = cut_url(cutout, site=site, side=previews.LARGE)
        cutout.doubts = doubts_of(cutout)
        cutout.confidence = "" if cutout.score is None else percent(cutout.score)
        cutout.method_name = METHODS.get(cutout.method, cutout.method)
        cutout.kind_name = KIND_NAMES.get(cutout.kind, cutout.kind)
        cutout.suggested_name = (
            KIND_NAMES.get(cutout.suggested_kind, "") if cutout.suggested_kind else ""
        )
        cutout.is_shown = bool(cutout.mask.name) or cutout.method == "alpha"
        cutout.has_scenes = cutout.is_shown or cutout.kind == PhotoKind.FULL_FRAME
        cutout.can_be_confirmed = cutout.state == CutoutState.DOUBTFUL
        cutout.is_open = cutout.can_be_confirmed and cutout.kind in ("", PhotoKind.PACKSHOT)
        cutout.is_requested = cutout.requested_at is not None
    return cutouts


def doubts_of(cutout: PhotoCutout) -> list[str]:
    """Return why a person should look at ``cutout``, or why there is none, as sentences."""
    reasons = cutout.reasons if isinstance(cutout.reasons, list) else []
    sentences = [
        gettext("The photo was replaced after a person had made this mask.")
        if code == PHOTO_CHANGED
        else describe_reason(str(code))
        for code in reasons
    ]
    return [*sentences, cutout.problem] if cutout.problem else sentences


def percent(share: float) -> str:
    return f"{number_format(100 * share, decimal_pos=0)} %"


def cut_url(cutout: PhotoCutout, *, site: AdminSite, side: int) -> str:
    """Return the URL of the product alone; empty if it has not been cut out."""
    if not cutout.mask.name and cutout.method != "alpha":
        return ""
    digest = previews.digest_of(cutout, "cut", side)
    name = f"{site.name}:nb_catalog_photocutout_cut"
    return reverse(name, args=[cutout.pk, digest, side])


def serve(request: HttpRequest, preview: previews.Preview, *, forever: bool) -> HttpResponse:
    """Return ``preview``, which browsers keep: ``forever`` if its URL changes with it, otherwise as long as
    its ETag does not. 404 with the reason if it cannot be made."""
    etag = quote_etag(preview.digest)
    not_modified = get_conditional_response(request, etag=etag)
    if not_modified is not None:
        return not_modified
    try:
        response = HttpResponse(preview.read(), content_type=preview.mime_type)
    except NBCatalogError as error:
        return HttpResponse(str(error), status=404, content_type="text/plain; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = FOREVER if forever else "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response
