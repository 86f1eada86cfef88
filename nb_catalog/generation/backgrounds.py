"""Plans pictures of products in scenes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, RequestMode, Treatment
from nb_catalog.exceptions import PictureMissing
from nb_catalog.generation.planners import PaidPlanner, join_names, plural_name
from nb_catalog.generation.prompts.background import background_prompt
from nb_catalog.models import Scene
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import CatalogSource, pose_of

MAX_VARIANTS: Final = 12


@dataclass(frozen=True, kw_only=True)
class BackgroundPlanner(PaidPlanner):
    """Scenes, treatment, ratio and tier of one plan. ``variants`` is the number of pictures per scene."""

    source: CatalogSource
    scenes: tuple[Scene, ...]
    variants: int
    ratio: str
    tier: Tier
    treatment: Treatment
    mode: RequestMode = RequestMode.DIRECT

    @property
    def per_product(self) -> int:
        return len(self.scenes) * self.variants

    @property
    def max_per_product(self) -> int:
        return self.per_product

    @property
    def reference_count(self) -> int:
        # A model paints the background of a locked product without seeing the product.
        return 1 if self.provider.composites or self.treatment == Treatment.PAINTED else 0

    def title(self) -> str:
        return _("%(what)s: %(scenes)s (%(tier)s)") % {
            "what": plural_name(self.source),
            "scenes": join_names(scene.name for scene in self.scenes),
            "tier": self.tier.name,
        }

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "scenes": [scene.key for scene in self.scenes],
            "variants": self.variants,
            "ratio": self.ratio,
            "tier": self.tier.name,
            "treatment": self.treatment.value,
            "mode": self.mode.value,
        }

    def objections(self) -> Iterator[str]:
        if not self.scenes:
            yield "No scene was chosen. Choose at least one."
        if not 1 <= self.variants <= MAX_VARIANTS:
            yield f"Variants must be between 1 and {MAX_VARIANTS}, not {self.variants}."
        yield from self.tier_objections(ratio=self.ratio, treatment=self.treatment)
        for scene in self.scenes:
            if self.provider.composites and not scene.renderer:
                yield (
                    f"The scene “{scene.name}” has no recipe for the local renderer. "
                    f"Add one, or choose a tier with a model."
                )

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return itself: the products' photos are prefetched with the products."""
        return self

    def specs(self, product: Model) -> Iterator[ImageSpec]:
        """Yield the specs of one product's pictures.

        Raises ``PictureMissing`` without a photo and ``RegistryError`` for an invalid pose.
        """
        photos = self.source.photos(product)
        if not photos:
            raise PictureMissing("The product has no photo. Upload one.")
        for scene in self.scenes:
            spec = self._spec(product, photos[0], scene)
            yield spec
            for variant in range(2, self.variants + 1):
                yield replace(spec, variant=variant)

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the variant to make instead of ``spec``, which was rejected.

        The number of variants is added, so that the replacements of two of them never collide.
        """
        return replace(spec, variant=spec.variant + self.variants)

    def _spec(self, product: Model, photo: Photo, scene: Scene) -> ImageSpec:
        renders = self.provider.composites
        prompt = ""
        if not renders:
            # Always in the site's language: the same picture requested in two languages would be
            # paid for twice.
            with translation.override(django_settings.LANGUAGE_CODE):
                prompt = background_prompt(
                    treatment=self.treatment,
                    title=self.source.title(product),
                    facts=self.source.facts(product),
                    scene_prompt=scene.prompt,
                    ratio=self.ratio,
                )
        return ImageSpec(
            object_type=self.source.label,
            object_id=str(product.pk),
            photo=photo.name,
            photo_version=photo.version,
            scene=scene.key,
            scene_version=scene.version,
            treatment=self.treatment.value,
            ratio=self.ratio,
            size=self.tier.size,
            provider=self.tier.provider,
            model=self.tier.model,
            thinking=self.tier.thinking,
            renderer=scene.renderer if renders else {},
            pose=pose_of(product) if self.treatment == Treatment.LOCKED else "",
            prompt=prompt,
            system="" if renders else scene.system,
        )
