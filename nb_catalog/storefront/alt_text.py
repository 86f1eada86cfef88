"""Alternative texts: what a person wrote for a picture, else what the product and the picture say."""

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
    """The words on a picture from top to bottom, as one text; "" where it has none."""
    renderer: Mapping[str, Any] = image.spec.get("renderer") or {}
    texts: Mapping[str, str] = renderer.get("texts") or {}
    boxes = renderer.get("layout", {}).get("boxes", ()) if texts else ()
    height = {box["role"]: box["place"]["top"] for box in boxes}
    return joined(texts[role] for role in sorted(texts, key=lambda role: height.get(role, 0)))


def joined(texts: Iterable[str]) -> str:
    """``texts`` as sentences: a screen reader pauses between them."""
    ended = (text if text[-1:] in ".!?…。！？؟" else f"{text}." for text in texts if text)
    return " ".join(ended).removesuffix(".")


def written_alt(places: Sequence[str]) -> Any:
    """What a person wrote for a placement's picture, in the first of ``places`` that has something: an
    expression for a query of placements, "" where nobody did."""
    texts = (
        Subquery(AltText.objects.filter(image=OuterRef("image"), locale=code).values("text")[:1])
        for code in places
        if code
    )
    return Coalesce(*texts, Value(""), Value(""))


def default_alt(product: Model, image: ProductImage, *, locale: str) -> str:
    """What the storefront says of ``image`` where nobody wrote anything."""
    return resolve_alt(
        "", of_product=source_for(product).alt(product, locale), said=overlay_text(image)
    )


def resolve_alt(written: str, *, of_product: str, said: str) -> str:
    """What a person wrote for a picture; else the product's own text, and what is ``said`` on it."""
    return written or joined([of_product, said])


def suggestion(product: Model, image: ProductImage, *, locale: str) -> str:
    """From what there is: the product's own text, its facts and the scene where the site's language is
    spoken, which they are in, and the words on the picture."""
    source = source_for(product)
    said = [source.alt(product, locale)]
    if language_tag(locale) == language_tag(django_settings.LANGUAGE_CODE):
        scene = Scene.objects.filter(key=image.scene).values_list("name", flat=True).first()
        said[0] = ", ".join([said[0], *source.facts(product).values(), *([scene] if scene else [])])
    return joined([*said, overlay_text(image)])
