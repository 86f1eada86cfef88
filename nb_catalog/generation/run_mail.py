"""The e-mail about a run: counts, failures with advice, a link, and a contact sheet of its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage as Part
from email.mime.image import MIMEImage
from typing import Any, Final

import django
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext, ngettext

from nb_catalog import storage
from nb_catalog.conf import picture_limits, settings
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import JobState
from nb_catalog.core.text import shorten
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import PictureError, RegistryError, StorageFailed
from nb_catalog.generation import failures
from nb_catalog.generation.progress import failures_of
from nb_catalog.generation.run_headlines import headline_of
from nb_catalog.imaging.contact_sheet import SheetPicture, contact_sheet
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.models import ProductImage, Run, RunNotice, Scene
from nb_catalog.models.images import ImageKind
from nb_catalog.models.run_notices import RunEvent
from nb_catalog.registry import is_registered, source_for

MOST_CAUSES: Final = 8
FILE: Final = "contact-sheet.jpg"
CONTENT_ID: Final = "contact-sheet@nb-catalog"


def build_message(
    notice: RunNotice, event: RunEvent, *, counts: Mapping[str, int], address: str
) -> EmailMultiAlternatives:
    """Return the e-mail to ``address`` that the run of ``notice`` has ended, or pauses.

    As text and HTML, in the notice's language. Pictures are on it if its reader may view them.
    """
    run = notice.run
    with translation.override(notice.language or None):
        sheet: bytes | None = None
        names: list[str] = []
        if may(run.actor, Action.VIEW_IMAGES):
            sheet, names = _sheet_of(run)
        context = {
            "run": run,
            "url": notice.url,
            "is_paused": event == RunEvent.PAUSED,
            "made": counts.get(JobState.SUCCEEDED, 0),
            "total": sum(counts.values()),
            "causes": _causes(run, counts=counts),
            "cancelled": counts.get(JobState.CANCELLED, 0),
            "content_id": CONTENT_ID if sheet else "",
            "names": names,
            "alternative": gettext("Contact sheet: %(pictures)s") % {"pictures": "; ".join(names)},
        }
        subject = f"{headline_of(run, counts=counts)}: {run.title}"
        message = EmailMultiAlternatives(
            subject=shorten(" ".join(subject.split())),
            body=render_to_string("nb_catalog/mail/run.txt", context),
            from_email=settings.NOTIFY["FROM"] or None,
            to=[address],
            # Programs that answer automatically leave such e-mails alone (RFC 3834).
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(
            render_to_string("nb_catalog/mail/run.html", context), "text/html"
        )
    if sheet is not None:
        message.attach(_inline(sheet))
    return message


def _causes(run: Run, *, counts: Mapping[str, int]) -> list[dict[str, str]]:
    """Return why jobs failed, the most frequent causes first, with what to do about each."""
    causes = []
    for each in failures_of(run, counts=counts)[:MOST_CAUSES]:
        label = failures.describe_error(each.code) or str(JobState(each.state).label)
        number = ngettext("%(number)d picture", "%(number)d pictures", each.jobs)
        advice = failures.advice_for(each.code, state=each.state)
        if not advice:
            advice = (
                gettext("A retry may help.")
                if each.can_retry
                else gettext("A retry may be charged twice: look at the run first.")
            )
        causes.append({"number": number % {"number": each.jobs}, "what": label, "advice": advice})
    return causes


def _sheet_of(run: Run) -> tuple[bytes | None, list[str]]:
    """Return a contact sheet of the newest pictures of ``run``, and what they show, in their order."""
    rows = ProductImage.objects.filter(job__run=run, kind=ImageKind.PICTURE, pruned_at=None).defer(
        "spec", "checks", "provenance"
    )
    images = list(
        rows.select_related("content_type").order_by("-pk")[: settings.NOTIFY["PICTURES"]]
    )
    titles, scenes = _titles_of(images), dict(Scene.objects.values_list("key", "name"))
    pictures, names = [], []
    for image in images:
        try:
            data = storage.read(str(image.file.name))
        except (PictureError, StorageFailed):
            continue
        source_type = DigitalSourceType(image.digital_source_type)
        pictures.append(SheetPicture(data=data, source_type=source_type))
        scene = scenes.get(image.scene, image.scene) or str(Treatment.PHOTO.label)
        title = titles.get((image.content_type_id, image.object_id), image.object_id)
        names.append(f"{title}, {scene}" + (f" ({image.locale})" if image.locale else ""))
    return contact_sheet(pictures, **picture_limits()), names


def _titles_of(images: list[ProductImage]) -> dict[tuple[int, str], str]:
    """Return the titles of the products of ``images``. One query for each model."""
    titles: dict[tuple[int, str], str] = {}
    for content_type in {image.content_type for image in images}:
        model = content_type.model_class()
        if model is None or not is_registered(model):
            continue
        source = source_for(model)
        keys = {image.object_id for image in images if image.content_type_id == content_type.pk}
        for product in source.queryset().filter(pk__in=keys):
            try:
                titles[content_type.pk, str(product.pk)] = source.title(product)
            except RegistryError:
                continue
    return titles


def _inline(sheet: bytes) -> Any:
    """Return ``sheet`` as a part that the HTML refers to. Django 6 takes Python's newer class for parts."""
    if django.VERSION >= (6, 0):
        part = Part()
        part.set_content(
            sheet, maintype="image", subtype="jpeg", disposition="inline", filename=FILE,
            cid=f"<{CONTENT_ID}>",
        )  # fmt: skip
        return part
    image = MIMEImage(sheet, "jpeg")
    image.add_header("Content-ID", f"<{CONTENT_ID}>")
    image.add_header("Content-Disposition", "inline", filename=FILE)
    return image
