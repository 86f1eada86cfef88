"""Alternative texts: set, proposed by a model (paid for, and published only once accepted), discarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import transaction

from nb_catalog import storage
from nb_catalog.billing import paid_requests
from nb_catalog.billing.paid_requests import PaidRequest, ProposalResult
from nb_catalog.conf import settings
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.text import single_line
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.references import Limits, as_reference
from nb_catalog.models import AltProposal, AltText, ProductImage
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.models.transitions import lock_image
from nb_catalog.providers.alt_text import AltTextProvider, PictureContext, alt_text_provider
from nb_catalog.registry import source_for
from nb_catalog.storefront.alt_text import overlay_text

LIMITS: Final = Limits(reads=("image/jpeg", "image/png", "image/webp"), longest_side=1024)
# Locales of one request.
MAX_LOCALES: Final = 40
# BCP 47 for text in an unknown language.
UNDETERMINED: Final = "und"


def set_alt_texts(image: ProductImage, texts: Mapping[str, str], *, actor: Actor) -> int:
    """Set alternative texts of ``image`` by locale, leave others alone and return the number of changes.

    An empty text deletes the stored one: the storefront then falls back to the product's own text.
    Proposals in the locales of texts that are not empty are deleted. Raises ``RequestRefused`` with
    every objection at once; then nothing is written.
    """
    cleaned = {locale: " ".join(text.split()) for locale, text in texts.items()}
    objections: list[str] = []
    for code, text in cleaned.items():
        try:
            parse_locale(code)
        except ValueError as error:
            objections.append(str(error))
        if len(text) > LONGEST_ALT:
            objections.append(
                f"{code}: {len(text)} characters; at most {LONGEST_ALT} are possible."
            )
    if objections:
        raise RequestRefused(*objections)
    with transaction.atomic():
        lock_image(image)
        stored = dict(image.alts.values_list("locale", "text"))
        changed = {code: text for code, text in cleaned.items() if stored.get(code, "") != text}
        written = [code for code, text in cleaned.items() if text]
        image.alt_proposals.filter(locale__in=written).delete()
        for code, text in changed.items():
            if text:
                values = {"text": text, "changed_by": actor}
                AltText.objects.update_or_create(image=image, locale=code, defaults=values)
            else:
                image.alts.filter(locale=code).delete()
    return len(changed)


class AltTextOffer(NamedTuple):
    """The provider that would describe a picture, in which locales, and the maximum cost in USD."""

    name: str
    locales: tuple[str, ...]
    usd: Decimal


def locales_for(image: ProductImage) -> list[str]:
    """Return the locales in which ``image`` can be shown, and others that it has alternative texts in.

    A picture with text is shown in its own locale only, others in all locales of the shop.
    """
    locales = (image.locale,) if image.locale else settings.LOCALES
    return list(dict.fromkeys((*locales, *sorted(_existing_locales(image)))))


def missing_locales(image: ProductImage, locales: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``locales`` in which ``image`` has neither a text nor a proposal."""
    existing = _existing_locales(image)
    return tuple(dict.fromkeys(code for code in locales if code not in existing))


def _existing_locales(image: ProductImage) -> set[str]:
    written = image.alts.values_list("locale", flat=True)
    return {*written, *image.alt_proposals.values_list("locale", flat=True)}


def offer(image: ProductImage) -> AltTextOffer | None:
    """Return what ``propose_alt_texts`` would request; None without a provider or missing texts.

    Raises ``RequestRefused`` if the provider's price is unknown.
    """
    provider, locales = alt_text_provider(), missing_locales(image, locales_for(image))
    if provider is None or not locales:
        return None
    usd = provider.estimate(locales=locales, about=_context(image))
    return AltTextOffer(provider.name, locales, usd)


def propose_alt_texts(
    image: ProductImage, locales: Iterable[str], *, actor: Actor
) -> ProposalResult:
    """Have a model describe ``image`` in those of ``locales`` that it lacks; store proposals.

    The request is recorded and its cost reserved before it is sent. Raises ``RequestRefused``
    without an alt text provider, for an unknown locale, while the same request is in flight and
    when a budget is reached, ``PictureError`` and ``StorageFailed`` for the file, and the
    ``ProviderError`` of a failed request.
    """
    provider = alt_text_provider()
    if provider is None:
        raise RequestRefused(
            "No provider of alternative texts is configured. Set NB_CATALOG['ALT_TEXT_PROVIDER']."
        )
    wanted = missing_locales(image, locales)
    if not wanted:
        return ProposalResult(written=0)
    request = _build_request(image, wanted, provider)
    result = paid_requests.send_paid_request(provider, request, actor=actor)
    proposals: dict[str, str] = {}
    refused: list[str] = []
    for code in wanted:
        text = single_line(result.texts.get(code, ""))
        if not text:
            refused.append(f"{code}: nothing was proposed.")
        elif len(text) > LONGEST_ALT:
            refused.append(
                f"{code}: the proposal has {len(text)} characters; at most {LONGEST_ALT} are possible."
            )
        else:
            proposals[code] = text
    with transaction.atomic():
        lock_image(image)
        # Someone may have written a text while the request was in flight.
        for code in image.alts.filter(locale__in=list(proposals)).values_list("locale", flat=True):
            del proposals[code]
        for code, text in proposals.items():
            AltProposal.objects.update_or_create(
                image=image, locale=code, defaults={"text": text, "proposed_by": provider.name}
            )
    return ProposalResult(written=len(proposals), refused=tuple(refused))


def discard_alt_texts(image: ProductImage, locales: Iterable[str]) -> int:
    """Delete the proposals of ``image`` in ``locales`` and return their number."""
    proposals = image.alt_proposals.filter(locale__in=list(locales))
    return int(proposals.delete()[0])


def _build_request(
    image: ProductImage, locales: tuple[str, ...], provider: AltTextProvider
) -> PaidRequest:
    try:
        for code in locales:
            parse_locale(code)
    except ValueError as error:
        raise RequestRefused(str(error)) from error
    if len(locales) > MAX_LOCALES:
        raise RequestRefused(
            f"At most {MAX_LOCALES} languages can be requested at once, not {len(locales)}."
        )
    context = _context(image)
    picture, _sent = as_reference(
        storage.read(str(image.file.name)),
        limits=LIMITS,
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )
    return PaidRequest(
        payload=provider.build(picture.data, picture.mime_type, locales=locales, about=context),
        about=image,
        locales=locales,
        estimate=provider.estimate(locales=locales, about=context),
        underway=paid_requests.already_running_message(image),
        is_wanted=lambda: missing_locales(image, locales) == locales,
    )


def _context(image: ProductImage) -> PictureContext:
    product, text = image.catalog_object, overlay_text(image)
    return PictureContext(
        title="" if product is None else source_for(product).title(product),
        texts={image.locale or UNDETERMINED: text} if text else {},
    )
