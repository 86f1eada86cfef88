"""Plans pictures of products in scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, PhotoKind, RequestMode, Size, Treatment
from nb_catalog.generation.photo_report import (
    CutoutTable,
    PhotoReport,
    cutout_in,
    cutouts_of,
    kind_of,
    require_usable,
)
from nb_catalog.generation.photos import PhotoReader, size_warning
from nb_catalog.generation.planners import (
    PaidPlanner,
    join_names,
    plural_name,
    slot_objections,
)
from nb_catalog.generation.prompts.background import background_prompt
from nb_catalog.generation.treatments import neutral_scenes, treatment_objections
from nb_catalog.imaging.compose import largest_size
from nb_catalog.models import Scene
from nb_catalog.providers.model_specs import PIXELS, pixel_size
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import CatalogSource, pose_of

MAX_VARIANTS: Final = 12


@dataclass(frozen=True, kw_only=True)
class BackgroundPlanner(PaidPlanner):
    """Scenes, treatment, ratio and tier of one plan. ``variants`` is the number of pictures per scene.

    ``slot`` is where the pictures are to be published; with "" they must fit any one of the slots.
    ``cutouts`` are set by ``for_block``; ``photos`` is filled by each pass over the plan.
    """

    source: CatalogSource
    scenes: tuple[Scene, ...]
    variants: int
    ratio: str
    tier: Tier
    treatment: Treatment
    mode: RequestMode = RequestMode.DIRECT
    slot: str = ""
    cutouts: CutoutTable = field(default_factory=dict)
    photos: PhotoReport = field(default_factory=PhotoReport, compare=False)
    # A field, so that the copies for blocks share its time.
    photo_reader: PhotoReader = field(default_factory=PhotoReader, compare=False)

    kind: ClassVar[str] = "backgrounds"

    @property
    def per_product(self) -> int:
        return len(self.scenes) * self.variants

    @property
    def products_per_block(self) -> int:
        return 1000  # their photos, which are prefetched with them

    @property
    def reference_count(self) -> int:
        # A model paints the background of a locked product without seeing the product.
        product = 1 if self.provider.composites or self.treatment == Treatment.PAINTED else 0
        backdrop = any(scene.backdrop_sha256 for scene in self.scenes)
        place = backdrop and not self.provider.composites
        return product + bool(place) + self.has_anchor

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
            **({"slot": self.slot} if self.slot else {}),
            "tier": self.tier.name,
            "treatment": self.treatment.value,
            "mode": self.mode.value,
        }

    def objections(self) -> Iterator[str]:
        if not self.scenes:
            yield _("No scene was chosen. Choose at least one.")
        if not 1 <= self.variants <= MAX_VARIANTS:
            yield _("Variants must be between 1 and %(most)s, not %(number)s.") % {
                "most": MAX_VARIANTS,
                "number": self.variants,
            }
        yield from treatment_objections(
            self.treatment, source=self.source, renders=self.provider.composites
        )
        yield from self.tier_objections(ratio=self.ratio, treatment=self.treatment)
        # A ratio or a size that does not exist is among the tier's objections.
        size = PIXELS.get(self.ratio, {}).get(self.tier.size)
        yield from slot_objections(self.source, slot=self.slot, size=size, has_words=False)
        for scene in self.scenes:
            if self.treatment == Treatment.RELIT and scene.backdrop_sha256:
                yield (
                    _(
                        "The scene “%(scene)s” is a photo, whose light is known too roughly to relight "
                        "products. Choose the locked treatment."
                    )
                    % {"scene": scene.name}
                )
            if self.provider.composites and not scene.is_local:
                yield (
                    _(
                        "The scene “%(scene)s” has no recipe for the local renderer and no photo. Add "
                        "one, or choose a tier with a model."
                    )
                    % {"scene": scene.name}
                )

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        self.photos.clear()
        return self

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the cut-outs of the products' photos, if they are needed. One query."""
        if not self.shows_photo:
            return self
        return replace(self, cutouts=cutouts_of(self.source, products))

    @property
    def shows_photo(self) -> bool:
        return self.treatment != Treatment.PAINTED

    def specs(self, product: Model) -> Iterator[ImageSpec]:
        """Yield the specs of one product's pictures.

        Raises ``PictureError`` without a usable photo and ``RegistryError`` for an invalid pose.
        """
        yield from self.specs_from(product, self.photo_of(product))

    def specs_from(self, product: Model, photo: Photo) -> Iterator[ImageSpec]:
        """Yield the specs of pictures of ``product`` that are made from ``photo``. Raises what ``specs``
        does."""
        cutout, kind = cutout_in(self.cutouts, product, photo), ""
        if self.shows_photo:
            kind = kind_of(self.owner_of(product), photo, cutout)
            if kind not in (PhotoKind.FULL_FRAME, PhotoKind.LIFESTYLE):
                self.photos.add(product, photo, cutout)
            require_usable(kind, cutout)
            if cutout is not None and cutout.width:
                size = Size(cutout.width, cutout.height)
                largest_size(size, requested=self._pixels).require_detail()
        for scene in self.scenes_of(product):
            spec = self.spec_in(scene, product, photo)
            if self.shows_photo:
                mask = cutout.person_mask if cutout is not None else ""
                spec = replace(spec, photo_kind=kind, cutout=mask)
            yield spec
            for variant in range(2, self.variants + 1):
                yield replace(spec, variant=variant)

    def warnings(self, product: Model) -> Iterator[str]:
        """Yield that the photo is too small for the tier's size, and that scenes have no light to lend."""
        if self.treatment == Treatment.RELIT:
            yield from neutral_scenes(self.scenes)
        photos = self.source.photos(product) if self.shows_photo else []
        if photos and (warning := size_warning(photos[0], requested=self._pixels)):
            yield warning

    @property
    def _pixels(self) -> Size:
        return pixel_size(self.ratio, self.tier.size)

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the variant to make instead of ``spec``, which was rejected.

        The number of variants is added, so that the replacements of two of them never collide.
        """
        return replace(spec, variant=spec.variant + self.variants)

    def scenes_of(self, product: Model) -> tuple[Scene, ...]:
        """Return the scenes that ``product`` is shown in."""
        return self.scenes

    def owner_of(self, product: Model) -> Model:
        """Return the object whose photo shows ``product``."""
        return product

    def described(self, product: Model) -> tuple[str, Mapping[str, str]]:
        """Return the title and the facts that a model is given of ``product``."""
        return self.source.title(product), self.source.facts(product)

    @property
    def colour(self) -> str:
        """The colour that a model is to paint the product in, "#rrggbb"; "" for the photo's own."""
        return ""

    def view_of(self, product: Model) -> str:
        """Return the camera's view of ``product``; "" leaves it to the scene."""
        return ""

    @property
    def has_anchor(self) -> bool:
        """Whether a model gets a picture that shows the look."""
        return False

    def spec_in(self, scene: Scene, product: Model, photo: Photo) -> ImageSpec:
        """Return the spec of the first variant of ``product`` in ``scene``."""
        renders = self.provider.composites
        prompt = ""
        if not renders:
            # Always in the site's language: the same picture requested in two languages would be
            # paid for twice.
            reading = host_code(f"{type(self.source).__name__}, title() or facts(),")
            with translation.override(django_settings.LANGUAGE_CODE), reading:
                title, facts = self.described(product)
                prompt = background_prompt(
                    treatment=self.treatment,
                    title=title,
                    facts=facts,
                    scene_prompt=scene.prompt,
                    ratio=self.ratio,
                    has_backdrop=bool(scene.backdrop_sha256),
                    view=self.view_of(product),
                    has_anchor=self.has_anchor,
                    colour=self.colour,
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
            renderer=scene.local_options if renders else {},
            backdrop=scene.backdrop_sha256,
            backdrop_file=str(scene.backdrop) if scene.backdrop_sha256 else "",
            pose=pose_of(product) if self.shows_photo else "",
            prompt=prompt,
            system="" if renders else scene.system,
        )
