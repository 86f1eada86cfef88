"""Plans the pictures of a series: one look, one seed and one camera for all its members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Final, Self, overload

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.core.proportions import proportions_of
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo, RequestMode, Treatment, Variant
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.bundles import BundlePlanner, place_objections
from nb_catalog.generation.planners import Impossible
from nb_catalog.generation.treatments import treatment_objections
from nb_catalog.models import Scene, Series
from nb_catalog.providers import provider
from nb_catalog.providers.tiers import Tier
from nb_catalog.registry import CatalogSource, height_of, photo_of_variant, source_for, variant_of
from nb_catalog.series import anchor_objections

BLOCK: Final = 1000


class MemberProducts(Sequence[Model]):
    """The products of a series in the order of its members, read from the database a block at a time.

    ``keys`` are their keys as text. Deleted products are left out.
    """

    def __init__(self, source: CatalogSource, keys: Sequence[str]) -> None:
        self.source, self.keys = source, tuple(keys)

    def __iter__(self) -> Iterator[Model]:
        for start in range(0, len(self.keys), BLOCK):
            block = self.keys[start : start + BLOCK]
            rows = {str(row.pk): row for row in self.source.queryset().filter(pk__in=block)}
            yield from (rows[key] for key in block if key in rows)

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Model: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Model]: ...

    def __getitem__(self, index: int | slice) -> Model | Sequence[Model]:
        if isinstance(index, slice):
            return list(MemberProducts(self.source, self.keys[index]))
        return next(iter(MemberProducts(self.source, [self.keys[index]])))


@dataclass(frozen=True, kw_only=True)
class SeriesPlanner(BackgroundPlanner):
    """Pictures of members of ``series``, which may be an unsaved copy with another look.

    ``groups`` are those of the members, variant -> group by the products' keys; ``for_block`` sets them. With
    ``only``, no other members than those with these keys are planned. ``shown`` is the variant of which a
    picture is planned, None for the product itself. ``together`` has the parts of bundles, if the series
    shows them; ``for_block`` sets it.
    """

    series: Series
    looks: Mapping[str, Scene]
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    has_one_member: bool = False
    shown: Variant | None = None
    together: BundlePlanner | None = None

    kind: ClassVar[str] = "series"

    @classmethod
    def of(cls, series: Series, *, mode: RequestMode) -> Self:
        """Return the planner of ``series``. Raises ``NotRegistered``."""
        looks = {group.value: series.frozen_scene(group) for group in series.groups}
        return cls(
            source=source_for(series.label),
            scenes=tuple(looks.values()),
            variants=1,
            ratio=series.ratio,
            tier=Tier(
                name=series.tier,
                provider=series.provider,
                model=series.model,
                size=series.size,
                thinking=series.thinking,
            ),
            treatment=Treatment(series.treatment),
            mode=mode,
            slot=series.slot,
            series=series,
            looks=looks,
        )

    @property
    def per_product(self) -> int:
        return 1

    @property
    def reference_count(self) -> int:
        # A variant without a photo is painted, for which the model gets the product's photo.
        return super().reference_count + self._may_recolour

    @cached_property
    def _may_recolour(self) -> bool:
        if self.treatment == Treatment.PAINTED or self.provider.composites:
            return False
        members = self.series.members.filter(removed_at=None)
        return bool(members.exclude(variant="").exists())

    @property
    def has_anchor(self) -> bool:
        return self.series.anchor_id is not None and not self.provider.composites

    @property
    def needs_anchor(self) -> bool:
        return self.series.anchor_id is None and not self.provider.composites

    def title(self) -> str:
        return _("Series: %(name)s (%(tier)s)") % {
            "name": self.series.name,
            "tier": self.tier.name,
        }

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "series": self.series.key,
            "version": self.series.version,
            "mode": self.mode.value,
            **({"members": list(self.only)} if self.only else {}),
        }

    def objections(self) -> Iterator[str]:
        try:
            model_spec = self.tier.model_spec
            composites = provider(self.tier.provider).composites
        except RequestRefused as refusal:
            yield from refusal.objections
            return
        except ImproperlyConfigured:
            yield (
                _(
                    "The provider “%(provider)s”, which made this series, is not configured any more. "
                    "Configure it again, or choose another tier for the series."
                )
                % {"provider": self.tier.provider}
            )
            return
        yield from super().objections()
        if not composites:
            yield from anchor_objections(self.series)
        if self.series.bundles and not composites:
            yield _(
                "A series of bundles is put together here, of the products' own photos. Choose a tier of the "
                "local provider, or show each bundle by its own photo."
            )
        elif self.series.bundles:
            yield from place_objections(self.scenes)
        retired = model_spec.retired_on
        if retired is not None and timezone.now().date() >= retired and model_spec.replaced_by:
            yield (
                _(
                    "The series keeps its look: make one member with %(successor)s as a trial, compare it "
                    "with the anchor, and accept the successor for the whole series."
                )
                % {"successor": model_spec.replaced_by}
            )

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the cut-outs, if needed, and the members of ``products``. A query each."""
        keys = [str(product.pk) for product in products]
        groups: dict[str, dict[str, str]] = defaultdict(dict)
        rows = self.series.members.filter(object_id__in=keys, removed_at=None)
        for member in rows.order_by("position", "pk"):
            if not self.only or member.key in self.only:
                groups[member.object_id][member.variant] = member.group
        planner = replace(super().for_block(products), groups=groups)
        together = self.bundle_planner
        if together is None:
            return planner
        return replace(planner, together=together.for_block(products))

    @property
    def bundle_planner(self) -> BundlePlanner | None:
        """The planner that knows the parts of bundles; None if the series shows no bundles."""
        if not self.series.bundles:
            return None
        return BundlePlanner(
            source=self.source,
            scenes=self.scenes,
            variants=1,
            ratio=self.ratio,
            tier=self.tier,
            treatment=self.treatment,
            mode=self.mode,
            slot=self.slot,
            photos=self.photos,
            photo_reader=self.photo_reader,
        )

    def specs(self, product: Model) -> Iterator[ImageSpec | Impossible]:  # type: ignore[override]
        """Yield the specs of ``product`` and of its variants that are members, and why others are not
        possible."""
        for key in self.groups.get(str(product.pk), {"": ""}):
            try:
                if not key:
                    yield from self._specs_of_product(product)
                else:
                    yield from self._specs_of_variant(product, key)
            except NBCatalogError as error:
                yield Impossible(error, key)

    def _specs_of_product(self, product: Model) -> Iterator[ImageSpec]:
        together = None if self.together is None else self.together.part_specs(product)
        if together is None or not together[0]:
            yield from super().specs(product)
            return
        parts, described = together
        [scene] = self.scenes_of(product)
        spec = self.spec_in(scene, product, parts[0].photo)
        # The products are in proportion to each other; together they fill the framing.
        yield replace(
            spec, pose="", proportion=1.0, parts=tuple(each.as_dict() for each in described)
        )

    def _specs_of_variant(self, product: Model, key: str) -> Iterator[ImageSpec]:
        variant = variant_of(product, key)
        photo = photo_of_variant(variant)
        if photo is not None:
            # With a photo of its own, nothing has to be recoloured.
            planner = replace(self, shown=replace(variant, colour=""))
            planner.photo_reader.check(photo)
            yield from planner.specs_from(product, photo)
            return
        if self._colour_objections:
            raise RequestRefused(*self._colour_objections)
        planner = replace(self, shown=variant, treatment=Treatment.PAINTED)
        yield from planner.specs_from(product, self.photo_of(product))

    @cached_property
    def _colour_objections(self) -> tuple[str, ...]:
        """Why variants without a photo cannot be painted in their colour."""
        if self.provider.composites:
            return (
                _(
                    "There is no photo of this variant, and “%(provider)s” cannot paint a product in another "
                    "colour. Give the variant a photo, or choose a tier with a model for the series."
                )
                % {"provider": self.provider.alias},
            )
        painted = replace(self, treatment=Treatment.PAINTED)
        return (
            *treatment_objections(Treatment.PAINTED, source=self.source, renders=False),
            *painted.tier_objections(ratio=self.ratio, treatment=Treatment.PAINTED),
        )

    @property
    def colour(self) -> str:
        return self.shown.colour if self.shown is not None else ""

    def owner_of(self, product: Model) -> Model:
        owner: Model | None = None if self.shown is None else self.shown.product
        return product if owner is None else owner

    def described(self, product: Model) -> tuple[str, Mapping[str, str]]:
        """Return title and facts of what is shown. Facts may name the colour that a variant does not have."""
        owner = self.owner_of(product)
        source = source_for(owner)
        return source.title(owner), {} if self.colour else source.facts(owner)

    def group_of(self, product: Model) -> str:
        """Return the group of what is shown; the series' first one if it is not a member."""
        key = "" if self.shown is None else self.shown.key
        return self.groups.get(str(product.pk), {}).get(key) or self.series.groups[0]

    def scenes_of(self, product: Model) -> tuple[Scene, ...]:
        return (self.looks[self.group_of(product)],)

    def view_of(self, product: Model) -> str:
        return str(self.series.camera_for(self.group_of(product))["view"])

    def proportion_of(self, product: Model) -> float:
        """Return the share of the framing's height that ``product`` takes by its real size, 1 if that is not
        known. Raises ``RegistryError`` for a height that is not valid."""
        largest = self.series.heights_cm.get(self.group_of(product))
        height = height_of(product) if largest else None
        return proportions_of([height, largest])[0] if height and height < largest else 1.0

    def spec_in(self, scene: Scene, product: Model, photo: Photo) -> ImageSpec:
        anchor = self.series.anchor if self.has_anchor else None
        group = self.group_of(product)
        return replace(
            super().spec_in(scene, product, photo),
            series=self.series.key,
            variant=self.series.seed_number,
            camera=self.series.camera_for(group),
            proportion=self.proportion_of(product),
            pose=self.series.pose_for(group) if self.shows_photo else "",
            anchor=anchor.sha256 if anchor else "",
            anchor_file=str(anchor.file) if anchor else "",
            product_variant="" if self.shown is None else self.shown.key,
            colour=self.colour,
        )

    def warnings(self, product: Model) -> Iterator[str]:
        """Yield what the plan of backgrounds does, and what has become of scene and anchor."""
        if self.together is None or not self.together.parts.get(str(product.pk)):
            yield from super().warnings(product)
        scene = {"scene": self.series.look["name"]}
        if self.series.scene is None:
            yield _("The scene “%(scene)s” was deleted. The series keeps its look.") % scene
        elif self.series.scene.version != self.series.scene_version:
            yield (
                _(
                    "The scene “%(scene)s” was changed since the series adopted it. The series keeps its "
                    "look until somebody adopts the new version."
                )
                % scene
            )
        if not self.has_anchor:
            yield from anchor_objections(self.series)
        largest = self.series.heights_cm.get(self.group_of(product))
        if largest and (height_of(product) or 0) > largest:
            yield (
                _(
                    "A product is taller than %(height)s cm, which fills the frame in this series, and "
                    "looks too small. Take the real sizes of the members again."
                )
                % {"height": f"{largest:g}"}
            )
        if self.has_one_member:
            yield _(
                "The series has one member only, so there is nothing that it could share its look with."
            )

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the spec to make instead of ``spec``, which was rejected: with the same seed."""
        return spec.another_try()
