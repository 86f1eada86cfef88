"""Alternative texts: what a person wrote for a picture, otherwise the product's text and the picture's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings as django_settings
from django.db.models import Model, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from nb_catalog.core.locales import language_tag
from nb_catalog.models import AltText, ProductImage, Scene
from nb_catalog.registry import source_for


def overlay_text(image: ProductImage) -> str:
    """Return the text on ``image`` from top to bottom; "" if it has none."""
    renderer: Mapping[str, Any] = image.spec.get("renderer") or {}
    texts: Mapping[str, str] = renderer.get("texts") or {}
    boxes = renderer.get("layout", {}).get("boxes", ()) if texts else ()
    tops = {box["role"]: box["place"]["top"] for box in boxes}
    return join_sentences(texts[role] for role in sorted(texts, key=lambda role: tops.get(role, 0)))


def join_sentences(texts: Iterable[str]) -> str:
    """Join ``texts`` as sentences, so that a screen reader pauses between them."""
    sentences = (text if text[-1:] in ".!?…。！？؟" else f"{text}." for text in texts if text)
    return " ".join(sentences).removesuffix(".")


def written_alt(locales: Sequence[str]) -> Any:
    """Return an expression for queries of placements: the text that a person wrote for the picture.

    It is that of the first of ``locales`` that has one; otherwise "".
    """
    texts = (
        Subquery(AltText.objects.filter(image=OuterRef("image"), locale=code).values("text")[:1])
        for code in locales
        if code
    )
    return Coalesce(*texts, Value(""), Value(""))


def default_alt(product: Model, image: ProductImage, *, locale: str) -> str:
    """Return the alternative text of ``image`` that is used if no one has written one."""
    text = overlay_text(image)
    return resolve_alt("", of_product=source_for(product).alt(product, locale), overlay_text=text)


def resolve_alt(written: str, *, of_product: str, overlay_text: str) -> str:
    """Return what a person wrote for a picture, otherwise the product's text and the picture's own."""
    return written or join_sentences([of_product, overlay_text])


def suggestion(product: Model, image: ProductImage, *, locale: str) -> str:
    """Return a draft from stored data: the product's text and the text on the picture.

    In the site's language, facts and scene are added; they are in no other.
    """
    source = source_for(product)
    phrases = [source.alt(product, locale)]
    if language_tag(locale) == language_tag(django_settings.LANGUAGE_CODE):
        phrases += source.facts(product).values()
        phrases += Scene.objects.filter(key=image.scene).values_list("name", flat=True)[:1]
    return join_sentences([", ".join(phrases), overlay_text(image)])
