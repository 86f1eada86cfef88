"""Requests that a model reads painted text, in addition to the OCR that runs here."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from nb_catalog.core.types import Actor, JobKind
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.generation.text_requests import TextRequest
from nb_catalog.models import ProductImage, Run
from nb_catalog.providers.ocr import ocr_provider
from nb_catalog.providers.texts import required_ocr_provider
from nb_catalog.typesetting.ocr_diff import OCR_CHECK


class ProviderOffer(NamedTuple):
    """The provider that would look at a picture, and what that costs at most, in USD."""

    name: str
    usd: Decimal


def offer() -> ProviderOffer | None:
    """Return what ``request_reading`` would request; None without an OCR provider.

    Raises ``RequestRefused`` if the provider's price is unknown.
    """
    provider = ocr_provider()
    return None if provider is None else ProviderOffer(provider.name, provider.estimate())


def request_reading(image: ProductImage, *, actor: Actor) -> Run:
    """Have a model read ``image``, and return the run.

    How its text compares with the requested one is stored with the picture's checks. Raises
    ``RequestRefused`` for a picture without painted text, without an OCR provider, if its price is
    unknown, and while the same request is under way.
    """
    if OCR_CHECK not in image.checks:
        raise RequestRefused(
            _("Picture %(pk)s has no text that a model painted.") % {"pk": image.pk}
        )
    provider = required_ocr_provider()
    spec = text_requests.spec_about(
        image,
        provider,
        kind=JobKind.OCR,
        locales=(image.locale,),
        texts=dict(image.spec["renderer"]["texts"]),
        photo=image.spec["photo"],
    )
    request = TextRequest(about=image, spec=spec, estimate=provider.estimate())
    title = _("Read the text of picture %(pk)s") % {"pk": image.pk}
    run = text_requests.start([request], title=title, actor=actor)
    assert run is not None  # noqa: S101 - of one request
    return run
