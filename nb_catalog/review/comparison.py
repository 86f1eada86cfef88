"""Requests that a model compares a picture with the product's photo, beside the comparison made here."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from nb_catalog.core.types import Actor, JobKind
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.generation.text_requests import TextRequest
from nb_catalog.imaging.fidelity import FIDELITY_CHECK, fidelity_in
from nb_catalog.imaging.fidelity.report import BUNDLE
from nb_catalog.models import ProductImage, Run
from nb_catalog.providers.comparison import comparison_provider
from nb_catalog.providers.texts import required_comparison_provider
from nb_catalog.review.ocr import ProviderOffer


def comparison_offer() -> ProviderOffer | None:
    """Return what ``request_comparison`` would request; None without a comparison provider.

    Raises ``RequestRefused`` if the provider's price is unknown.
    """
    provider = comparison_provider()
    return None if provider is None else ProviderOffer(provider.name, provider.estimate())


def takes_comparison(image: ProductImage) -> bool:
    """Return whether ``image`` shows one product, drawn by a model, that has a photo to compare it with."""
    found = fidelity_in(image.checks)
    return found is not None and BUNDLE not in found.left_out


def request_comparison(image: ProductImage, *, actor: Actor) -> Run:
    """Have a model say what differs between the product on ``image`` and its photo, and return the run.

    What it says is stored with the picture's checks, in the language that is active now, and changes nothing
    else. Raises ``RequestRefused`` for a picture whose product no model drew, for one of several products,
    without a comparison provider, if its price is unknown, and while the same request is under way.
    """
    if FIDELITY_CHECK not in image.checks:
        raise RequestRefused(_("No model drew the product on picture %(pk)s.") % {"pk": image.pk})
    if not takes_comparison(image):
        raise RequestRefused(
            _(
                "Picture %(pk)s shows several products, and one is compared at a time. Look at the photos "
                "yourself."
            )
            % {"pk": image.pk}
        )
    provider = required_comparison_provider()
    base = image if not image.spec.get("base") or image.spec.get("prompt") else image.parent
    spec = text_requests.spec_about(
        image,
        provider,
        kind=JobKind.COMPARISON,
        locales=(get_language() or "en",),
        photo=(base or image).spec["photo"],
    )
    request = TextRequest(about=image, spec=spec, estimate=provider.estimate())
    title = _("Compare picture %(pk)s with the product’s photo") % {"pk": image.pk}
    run = text_requests.start([request], title=title, actor=actor)
    assert run is not None  # noqa: S101 - of one request
    return run
