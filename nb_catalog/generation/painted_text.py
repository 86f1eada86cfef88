"""Words that a model paints into pictures: the recipes, and the pictures that the model changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import RequestMode, Treatment
from nb_catalog.exceptions import NBCatalogError, PictureMissing, RequestRefused
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
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import pose_of

# The picture that the model changes, and the product's photo beside it.
REFERENCES: Final = 2


@dataclass(frozen=True, kw_only=True)
class PaintedTextPlanner(PaidPlanner, TextPlanner):
    """Words in a model's hand, which are read back when they come."""

    tier: Tier
    mode: RequestMode = RequestMode.DIRECT

    @property
    def references(self) -> int:
        return REFERENCES

    def objections(self) -> Iterator[str]:
        """Every reason why none of it can be painted, whatever the picture."""
        if self.maker.composites:
            yield (
                f"The tier “{self.tier.name}” renders scenes and paints no words. Choose one with a "
                f"model, or have the words set: that costs nothing and is right letter by letter."
            )
            return
        model_spec = self.tier.model_spec
        yield from self.objections_of_card(
            ratio=model_spec.ratios[0], treatment=model_spec.treatments[0]
        )
        yield from self.objections_of_maker()

    def further(self, spec: ImageSpec) -> ImageSpec:
        """Another try in place of one that was rejected."""
        return replace(spec, variant=spec.variant + 1)

    def _about(self, product: Model) -> ProductInfo:
        photos = self.source.photos(product)
        if not photos:
            raise PictureMissing("The product has no photo. Upload one.")
        # In the site's language, as every brief: in two languages one picture would be paid twice.
        with translation.override(django_settings.LANGUAGE_CODE):
            return ProductInfo(
                photo=photos[0],
                pose=pose_of(product),
                title=self.source.title(product),
                facts=self.source.facts(product),
            )

    def _spec(
        self,
        about: ProductInfo,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
    ) -> ImageSpec | NBCatalogError:
        fields, canvas = fields_from_base(base, label=self.source.label), _canvas(base)
        ratio, treatment = fields["ratio"], fields["treatment"]
        objections = tuple(self.objections_of_card(ratio=ratio, treatment=treatment))
        if objections:
            return RequestRefused(*objections)
        try:
            brief = painted_text_prompt(
                layout=self._read[row.key],
                texts=texts,
                locale=locale,
                treatment=treatment,
                title=about.title,
                facts=about.facts,
                scene_prompt=self._scenes.get(base.scene, ""),
                ratio=ratio,
                has_picture=bool(canvas),
            )
        except RequestRefused as refusal:
            return refusal
        photo = about.photo
        return ImageSpec(
            **fields,
            **fields_from_layout(row, locale=locale, deck=self.deck),
            photo=photo.name if photo else "",
            photo_version=photo.version if photo else "",
            size=self.tier.size,
            provider=self.tier.provider,
            model=self.tier.model,
            thinking=self.tier.thinking,
            pose=about.pose if treatment == Treatment.LOCKED else "",
            prompt=brief,
            renderer=renderer_options(row, texts=texts, locale=locale),
            canvas=canvas,
        )

    @cached_property
    def _scenes(self) -> Mapping[str, str]:
        return dict(Scene.objects.values_list("key", "prompt"))


def _canvas(base: ProductImage) -> str:
    """The file that a model paints on. Of a locked product it gets the surroundings alone, as it made
    them: its own pixels are set in afterwards. "" where they were rendered together with it."""
    if base.spec.get("treatment") != Treatment.LOCKED:
        return base.file.name or ""
    parent = base.parent
    if parent is None or parent.kind != ImageKind.BACKDROP or parent.pruned_at is not None:
        return ""
    return parent.file.name or ""
