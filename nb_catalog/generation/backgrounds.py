"""From a product to the recipes of its pictures: what is the same for a whole plan is done once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, RequestMode, Treatment
from nb_catalog.exceptions import PictureMissing
from nb_catalog.generation.planners import PaidPlanner
from nb_catalog.generation.prompts.background import background_prompt
from nb_catalog.models import Scene
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import CatalogSource, pose_of


@dataclass(frozen=True, kw_only=True)
class BackgroundPlanner(PaidPlanner):
    """Scenes, treatment, ratio and tier of one plan. ``variants`` counts pictures per scene."""

    source: CatalogSource
    scenes: tuple[Scene, ...]
    variants: int
    ratio: str
    tier: Tier
    treatment: Treatment
    mode: RequestMode = RequestMode.DIRECT

    @property
    def each(self) -> int:
        """Pictures per product."""
        return len(self.scenes) * self.variants

    @property
    def most_each(self) -> int:
        return self.each

    @property
    def references(self) -> int:
        """Pictures sent along with each request; surroundings are painted without the product."""
        return 1 if self.maker.composites or self.treatment == Treatment.PAINTED else 0

    def objections(self) -> Iterator[str]:
        """Every reason why nothing of this can be made."""
        yield from self.objections_of_card(ratio=self.ratio, treatment=self.treatment)
        yield from self.objections_of_maker()
        for scene in self.scenes:
            if self.maker.composites and not scene.renderer:
                yield (
                    f"The scene “{scene.name}” has no recipe for the local renderer. "
                    f"Give it one, or choose a tier with a model."
                )

    def for_block(self, products: Sequence[Model]) -> BackgroundPlanner:
        """It with what it has to look up for ``products``: nothing."""
        return self

    def specs(self, product: Model) -> Iterator[ImageSpec]:
        """The recipes of one product's pictures.

        Raises ``PictureMissing`` without a photo and ``RegistryError`` for a wrong pose.
        """
        photos = self.source.photos(product)
        if not photos:
            raise PictureMissing("The product has no photo. Upload one.")
        for scene in self.scenes:
            spec = self._spec(product, photos[0], scene)
            yield spec
            for variant in range(2, self.variants + 1):
                yield replace(spec, variant=variant)

    def further(self, spec: ImageSpec) -> ImageSpec:
        """The variant to make instead of ``spec``, which was rejected. As far away as the plan
        asks for variants, so that the replacements of two of them never meet."""
        return replace(spec, variant=spec.variant + self.variants)

    def _spec(self, product: Model, photo: Photo, scene: Scene) -> ImageSpec:
        renders = self.maker.composites
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
            prompt="" if renders else self._prompt(product, scene),
            system="" if renders else scene.system,
        )

    def _prompt(self, product: Model, scene: Scene) -> str:
        # In the site's language, whoever asks: in two languages one picture would be paid twice.
        with translation.override(django_settings.LANGUAGE_CODE):
            return background_prompt(
                treatment=self.treatment,
                title=self.source.title(product),
                facts=self.source.facts(product),
                scene_prompt=scene.prompt,
                ratio=self.ratio,
            )
