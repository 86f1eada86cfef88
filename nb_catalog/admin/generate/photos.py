"""The photos of a plan that a person should look at, beside the plan's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.urls import reverse

from nb_catalog.admin import catalog_objects
from nb_catalog.cutouts import previews
from nb_catalog.generation.photo_report import PhotoReport
from nb_catalog.imaging.cutout.reasons import describe_reason
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState

MOST_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoCard:
    """A photo with a doubtful or impossible cut-out. ``url`` leads to the page where it can be corrected,
    "" if the site has none."""

    title: str
    thumbnail: str
    reason: str
    url: str


def photo_context(report: PhotoReport | None, *, site: AdminSite) -> Mapping[str, Any] | None:
    """Return numbers of photos by state, and the first ones that a person should look at; None if there is
    nothing to report."""
    if report is None:
        return None
    numbers = {
        "unseen": report.counts[CutoutState.REQUESTED],
        "refused": report.counts[CutoutState.REFUSED],
        "doubtful": report.counts[CutoutState.DOUBTFUL],
    }
    if not any(numbers.values()):
        return None
    keys = [*report.refused, *report.doubtful][:MOST_SHOWN]
    rows = PhotoCutout.objects.in_bulk(keys)
    shown = [rows[key] for key in keys if key in rows]
    infos = catalog_objects.info_for_objects(shown, site=site)
    return {
        **numbers,
        "shown": [
            PhotoCard(
                title=infos[row.content_type_id, row.object_id].title,
                thumbnail=_url(row, "photo", previews.digest_of(row, "photo"), site=site),
                reason=row.problem or " ".join(describe_reason(code) for code in row.reasons),
                url=_url(row, "change", site=site),
            )
            for row in shown
        ],
    }


def _url(row: PhotoCutout, page: str, *about: str, site: AdminSite) -> str:
    if not site.is_registered(PhotoCutout):
        return ""
    return reverse(f"{site.name}:nb_catalog_photocutout_{page}", args=[row.pk, *about])
