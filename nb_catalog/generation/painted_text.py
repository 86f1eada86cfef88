"""Plans text that a model paints into pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import RequestMode, Size, TextMethod, Treatment
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.generation.planners import PaidPlanner
from nb_catalog.generation.prompts.painted_text import painted_text_prompt
from nb_catalog.generation.text_overlays import (
    ProductInfo,
    TextPlanner,
    fields_from_base,
    fields_from_layout,
    renderer_options,
)
from nb_catalog.models import ProductImage, Scene, TextLayout
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.model_specs import PIXELS
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import pose_of
from nb_catalog.typesetting.layouts import Layout

# The picture that the model changes, and the product's photo.
REFERENCES: Final = 2
# What a spec says of the photo of a place.
PLACE: Final = ("backdrop", "backdrop_file")


@dataclass(frozen=True, kw_only=True)
class PaintedTextPlanner(PaidPlanner, TextPlanner):
    """Text painted by the model of a tier; the worker runs OCR on the result."""

    tier: Tier
    mode: RequestMode = RequestMode.DIRECT

    @property
    def reference_count(self) -> int:
        return REFERENCES

    @cached_property
    def scene_prompts(self) -> Mapping[str, str]:
        return dict(Scene.objects.values_list("key", "prompt"))

    def as_request(self) -> dict[str, object]:
        return {
            **super().as_request(),
            "text": TextMethod.PAINTED.value,
            "tier": self.tier.name,
            "mode": self.mode.value,
        }

    def objections(self) -> Iterator[str]:
        if self.provider.composites:
            yield (
                _(
                    "The tier “%(tier)s” renders scenes and cannot paint text. Choose one with a model, or "
                    "have the text typeset: that is free and exact letter by letter."
                )
                % {"tier": self.tier.name}
            )
        else:
            # Ratio and treatment depend on the base image; here it is any that the model can make.
            model_spec = self.tier.model_spec
            yield from self.tier_objections(
                ratio=model_spec.ratios[0], treatment=model_spec.treatments[0]
            )
        yield from super().objections()

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        return replace(spec, variant=spec.variant + 1)

    def overlay_size(self, base: ProductImage, layout: Layout) -> Size | None:
        return PIXELS.get(str(base.spec.get("ratio", "")), {}).get(self.tier.size)

    def product_info(self, product: Model) -> ProductInfo:
        photo = self.photo_of(product)
        # Always in the site's language: the same picture requested in two languages would be paid
        # for twice.
        reading = host_code(f"{type(self.source).__name__}, title() or facts(),")
        with translation.override(django_settings.LANGUAGE_CODE), reading:
            return ProductInfo(
                photo=photo,
                pose=pose_of(product),
                title=self.source.title(product),
                facts=self.source.facts(product),
            )

    def overlay_spec(
        self,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
        info: ProductInfo,
    ) -> ImageSpec | NBCatalogError:
        fields, canvas = fields_from_base(base, label=self.source.label), _canvas(base)
        ratio, treatment = fields["ratio"], fields["treatment"]
        if treatment == Treatment.PHOTO:
            return RequestRefused(
                _(
                    "Text on a product's own photo is always typeset: a model would redraw the photo. Choose "
                    "typeset text."
                )
            )
        if base.spec.get("parts"):
            return RequestRefused(
                _(
                    "Text on a picture of several products is always typeset: a model would get the photo of "
                    "one of them. Choose typeset text."
                )
            )
        # A background that is painted again shows the photo that the picture below was made on.
        place = {} if canvas else {name: base.spec.get(name, "") for name in PLACE}
        objections = tuple(self.tier_objections(ratio=ratio, treatment=treatment))
        if objections:
            return RequestRefused(*objections)
        try:
            prompt = painted_text_prompt(
                layout=self.parsed_layouts[row.key],
                texts=texts,
                locale=locale,
                treatment=treatment,
                title=info.title,
                facts=info.facts,
                scene_prompt=self.scene_prompts.get(base.scene, ""),
                ratio=ratio,
                has_picture=bool(canvas),
                has_backdrop=any(place.values()),
            )
        except RequestRefused as refusal:
            return refusal
        return ImageSpec(
            **fields,
            **fields_from_layout(row, locale=locale, deck=self.deck),
            photo=info.photo.name if info.photo else "",
            photo_version=info.photo.version if info.photo else "",
            size=self.tier.size,
            provider=self.tier.provider,
            model=self.tier.model,
            thinking=self.tier.thinking,
            pose=info.pose if treatment == Treatment.LOCKED else "",
            photo_kind=base.spec.get("photo_kind", "") if treatment == Treatment.LOCKED else "",
            prompt=prompt,
            renderer=renderer_options(row, texts=texts, locale=locale),
            canvas=canvas,
            **place,
        )


def _canvas(base: ProductImage) -> str:
    """Return the name of the file that the model paints on.

    For a locked product that is the background alone, as a model made it, because the product's own
    pixels are composed in afterwards; "" if product and background were rendered together.
    """
    if base.spec.get("treatment") != Treatment.LOCKED:
        return base.file.name or ""
    parent = base.parent
    if parent is None or parent.kind != ImageKind.BACKDROP or parent.pruned_at is not None:
        return ""
    return parent.file.name or ""
