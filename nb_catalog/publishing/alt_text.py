"""Having alternative texts proposed: paid for like any call, and in no shop until a person accepts them."""

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
from nb_catalog.core.types import Actor, Reference
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.references import Limits, as_reference
from nb_catalog.models import AltProposal, ProductImage
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.models.transitions import lock_image
from nb_catalog.providers.alt_text import AltTextProvider, PictureContext, alt_text_provider
from nb_catalog.registry import source_for
from nb_catalog.storefront.alt_text import overlay_text

LIMITS: Final = Limits(reads=("image/jpeg", "image/png", "image/webp"), longest_side=1024)
# Languages of one request.
MAX_LOCALES: Final = 40
# BCP 47 for words whose language nobody noted.
UNDETERMINED: Final = "und"


class Offer(NamedTuple):
    """Who would describe a picture, in which languages, and what it costs at most, in USD."""

    name: str
    locales: tuple[str, ...]
    usd: Decimal


def locales_for(image: ProductImage) -> list[str]:
    """Those in which the picture can be shown: its own, where it has words, else those of the shop; and
    others that it is described in."""
    shown = (image.locale,) if image.locale else settings.LOCALES
    return list(dict.fromkeys((*shown, *sorted(_existing_locales(image)))))


def missing_locales(image: ProductImage, locales: Iterable[str]) -> tuple[str, ...]:
    """Those of ``locales`` in which ``image`` has neither a text nor a proposal."""
    there = _existing_locales(image)
    return tuple(dict.fromkeys(code for code in locales if code not in there))


def offer(image: ProductImage) -> Offer | None:
    """What ``propose_alt_texts`` would ask for; None where there is no describer, or nothing to describe.

    Raises ``RequestRefused`` where the describer does not know what it costs.
    """
    asked, locales = alt_text_provider(), missing_locales(image, locales_for(image))
    if asked is None or not locales:
        return None
    return Offer(asked.name, locales, asked.estimate(locales=locales, about=_context(image)))


def propose_alt_texts(
    image: ProductImage, locales: Iterable[str], *, actor: Actor
) -> ProposalResult:
    """Ask the describer for texts in those of ``locales`` that ``image`` lacks; they wait as proposals.

    The request is on record and its money reserved before it goes out. Raises ``RequestRefused``
    without a describer, for a locale that does not exist, while the same is underway and where a
    budget is reached, ``PictureError`` and ``StorageFailed`` for the file, and ``ProviderError`` for
    what the service answered.
    """
    asked = alt_text_provider()
    if asked is None:
        raise RequestRefused(
            "No provider of alternative texts is configured. Set NB_CATALOG['ALT_TEXT_PROVIDER']."
        )
    wanted = missing_locales(image, locales)
    if not wanted:
        return ProposalResult(written=0)
    answer = paid_requests.send_paid_request(
        asked, _build_request(image, wanted, asked), actor=actor
    )
    fitting, refused = _validate_proposals(answer.texts, wanted)
    written = _store_proposals(image, fitting, proposed_by=asked.name)
    return ProposalResult(written=written, refused=refused)


def discard_alt_texts(image: ProductImage, locales: Iterable[str]) -> int:
    """Throw proposals of ``image`` away; how many there were."""
    found = image.alt_proposals.filter(locale__in=list(locales))
    return int(found.delete()[0])


def _existing_locales(image: ProductImage) -> set[str]:
    written = image.alts.values_list("locale", flat=True)
    return {*written, *image.alt_proposals.values_list("locale", flat=True)}


def _build_request(
    image: ProductImage, locales: tuple[str, ...], asked: AltTextProvider
) -> PaidRequest:
    try:
        for code in locales:
            parse_locale(code)
    except ValueError as error:
        raise RequestRefused(str(error)) from error
    if len(locales) > MAX_LOCALES:
        raise RequestRefused(
            f"At most {MAX_LOCALES} languages are asked for at once, not {len(locales)}."
        )
    about, picture = _context(image), _picture(image)
    return PaidRequest(
        payload=asked.build(picture.data, picture.mime_type, locales=locales, about=about),
        about=image,
        locales=locales,
        estimate=asked.estimate(locales=locales, about=about),
        underway=paid_requests.already_running_message(image),
        is_wanted=lambda: missing_locales(image, locales) == locales,
    )


def _context(image: ProductImage) -> PictureContext:
    product, said = image.catalog_object, overlay_text(image)
    return PictureContext(
        title="" if product is None else source_for(product).title(product),
        texts={image.locale or UNDETERMINED: said} if said else {},
    )


def _picture(image: ProductImage) -> Reference:
    reference, _sent = as_reference(
        storage.read(str(image.file.name)),
        limits=LIMITS,
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )
    return reference


def _validate_proposals(
    found: Mapping[str, str], locales: Iterable[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is of use of the texts ``found``, and why the others are not."""
    fitting: dict[str, str] = {}
    refused: list[str] = []
    for code in locales:
        text = single_line(found.get(code, ""))
        if not text:
            refused.append(f"{code}: nothing was proposed.")
        elif len(text) > LONGEST_ALT:
            refused.append(
                f"{code}: the proposal has {len(text)} characters, at most {LONGEST_ALT} are possible."
            )
        else:
            fitting[code] = text
    return fitting, tuple(refused)


@transaction.atomic
def _store_proposals(image: ProductImage, texts: Mapping[str, str], *, proposed_by: str) -> int:
    """Write proposals, where nobody wrote a text meanwhile."""
    lock_image(image)
    written = set(image.alts.values_list("locale", flat=True))
    open_for = {code: text for code, text in texts.items() if code not in written}
    for code, text in open_for.items():
        AltProposal.objects.update_or_create(
            image=image, locale=code, defaults={"text": text, "proposed_by": proposed_by}
        )
    return len(open_for)
