"""Alternative texts: set, requested from a model (published only once accepted), discarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.types import Actor, JobKind
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.generation import text_requests
from nb_catalog.generation.text_requests import TextRequest
from nb_catalog.models import AltProposal, AltText, ProductImage, Run
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.models.transitions import lock_image
from nb_catalog.providers.alt_text import PictureContext, alt_text_provider
from nb_catalog.providers.texts import required_alt_text_provider
from nb_catalog.publishing.galleries import outbox
from nb_catalog.registry import source_for
from nb_catalog.storefront import alt_text as storefront_alt_text

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
                f"{code}: "
                + _("%(length)s characters; at most %(most)s are possible.")
                % {"length": len(text), "most": LONGEST_ALT}
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
        if changed:
            outbox.request_texts(image)
    return len(changed)


class AltTextState(NamedTuple):
    """The text of a picture in one language as a person wrote it, the shop's default without it, a suggestion
    from product data, and a model's proposal."""

    locale: str
    text: str
    default: str
    suggestion: str
    proposal: AltProposal | None

    @property
    def name(self) -> str:
        """The language, in itself."""
        return str(parse_locale(self.locale).display_name)


def texts_of(image: ProductImage) -> list[AltTextState]:
    """Return the texts of ``image`` in each of ``locales_for`` it."""
    stored = dict(image.alts.values_list("locale", "text"))
    proposals = {each.locale: each for each in image.alt_proposals.all()}
    product, states = image.catalog_object, []
    for code in locales_for(image):
        default = suggestion = ""
        if product is not None:
            with translation.override(code):
                default = storefront_alt_text.default_alt(product, image, locale=code)
                suggestion = storefront_alt_text.suggestion(product, image, locale=code)
        states.append(
            AltTextState(code, stored.get(code, ""), default, suggestion, proposals.get(code))
        )
    return states


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
    """Return what ``request_alt_texts`` would request; None without a provider or missing texts.

    It is None as well if the provider's setting is wrong, which ``check`` reports, or its price is unknown.
    """
    locales = missing_locales(image, locales_for(image))
    try:
        provider = alt_text_provider()
        if provider is None or not locales:
            return None
        usd = provider.estimate(locales=locales, about=_context(image))
    except (InvalidSettings, RequestRefused):
        return None
    return AltTextOffer(provider.name, locales, usd)


def request_alt_texts(image: ProductImage, locales: Iterable[str], *, actor: Actor) -> Run | None:
    """Have a model describe ``image`` in those of ``locales`` that it lacks, and return the run.

    The texts are stored as proposals. Returns None if no text is missing. Raises ``RequestRefused``
    without an alt text provider, if its price is unknown, for an unknown locale, and while the same
    request is under way.
    """
    provider = required_alt_text_provider()
    wanted = missing_locales(image, locales)
    try:
        for code in wanted:
            parse_locale(code)
    except ValueError as error:
        raise RequestRefused(str(error)) from error
    if len(wanted) > MAX_LOCALES:
        raise RequestRefused(
            _("At most %(most)d languages can be requested at once, not %(count)d.")
            % {"most": MAX_LOCALES, "count": len(wanted)}
        )
    if not wanted:
        return None
    context = _context(image)
    spec = text_requests.spec_about(
        image,
        provider,
        kind=JobKind.ALT_TEXT,
        locales=wanted,
        title=context.title,
        texts=dict(context.texts),
    )
    request = TextRequest(
        about=image, spec=spec, estimate=provider.estimate(locales=wanted, about=context)
    )
    title = _("Alternative texts of picture %(pk)s: %(locales)s") % {
        "pk": image.pk,
        "locales": ", ".join(wanted),
    }
    return text_requests.start([request], title=title, actor=actor)


def discard_alt_texts(image: ProductImage, locales: Iterable[str]) -> int:
    """Delete the proposals of ``image`` in ``locales`` and return their number."""
    proposals = image.alt_proposals.filter(locale__in=list(locales))
    return int(proposals.delete()[0])


def _context(image: ProductImage) -> PictureContext:
    product, text = image.catalog_object, storefront_alt_text.overlay_text(image)
    return PictureContext(
        title="" if product is None else source_for(product).title(product),
        texts={image.locale or UNDETERMINED: text} if text else {},
    )
