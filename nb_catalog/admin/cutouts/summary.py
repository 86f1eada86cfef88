"""How many cut-outs a product has, in a few words: for the page of the product."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.db.models import Count, Model, Q
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from nb_catalog.cutouts.access import doubtful
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.generic import object_key


def summary_of(product: Model, *, site: AdminSite) -> dict[str, str] | None:
    """Return ``text``, such as "Cut-outs: 2 good, 1 to look at", and ``url`` of their list. One query.

    None if the product's photos have not been requested, or ``site`` does not have the list.
    """
    if not site.is_registered(PhotoCutout):
        return None
    type_id, key = object_key(product)
    rows = PhotoCutout.objects.filter(content_type=type_id, object_id=key)
    refused, requested = Q(state=CutoutState.REFUSED), Q(state=CutoutState.REQUESTED)
    counts: dict[str, Any] = rows.aggregate(
        total=Count("pk"),
        doubtful=Count("pk", filter=doubtful()),
        refused=Count("pk", filter=refused),
        requested=Count("pk", filter=requested),
    )
    good = counts["total"] - counts["doubtful"] - counts["refused"] - counts["requested"]
    parts = [
        ngettext("%d good", "%d good", good) % good if good else "",
        ngettext("%d to look at", "%d to look at", counts["doubtful"]) % counts["doubtful"]
        if counts["doubtful"]
        else "",
        ngettext("%d not possible", "%d not possible", counts["refused"]) % counts["refused"]
        if counts["refused"]
        else "",
        ngettext("%d waiting", "%d waiting", counts["requested"]) % counts["requested"]
        if counts["requested"]
        else "",
    ]
    if not counts["total"]:
        return None
    query = urlencode({"content_type__exact": type_id, "object_id__exact": key})
    url = reverse(f"{site.name}:nb_catalog_photocutout_changelist")
    text = gettext("Cut-outs: %(parts)s") % {"parts": ", ".join(filter(None, parts))}
    return {"text": text, "url": f"{url}?{query}"}
