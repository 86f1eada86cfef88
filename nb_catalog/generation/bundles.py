"""Plans pictures of bundles: several products together in a scene."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final, NamedTuple, Self

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.db.models import Model, prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.specs import ImageSpec, PartSpec
from nb_catalog.core.text import shorten
from nb_catalog.core.types import Photo, PhotoKind, Treatment
from nb_catalog.exceptions import (
    NBCatalogError,
    PictureError,
    PictureMissing,
    PlanRefused,
    RequestRefused,
)
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.photo_report import (
    CutoutTable,
    cutout_in,
    cutouts_of,
    kind_of,
    require_usable,
)
from nb_catalog.generation.prompts.bundle import BundledProduct, bundle_prompt
from nb_catalog.generation.subjects import Products
from nb_catalog.models import Scene
from nb_catalog.registry import CatalogSource, bundle_of, height_of, pose_of, source_for

LEAST_PARTS: Final = 2
MOST_PARTS: Final = 6
TITLE_LENGTH: Final = 60


class BundlePart(NamedTuple):
    """One product of a bundle, and the photo that shows it.

    ``is_named`` is whether it is an object of its own. Otherwise it is one of the photos of the bundle,
    about which nothing else is known.
    """

    product: Model
    photo: Photo
    is_named: bool = True

    @property
    def source(self) -> CatalogSource:
        return source_for(self.product)

    @property
    def title(self) -> str:
        title = self.source.title(self.product)
        if not self.is_named:
            own = self.photo.alt if self.photo.alt != title else ""
            title = own or PurePosixPath(self.photo.name).name
        return shorten(title, TITLE_LENGTH)


@dataclass(frozen=True, kw_only=True)
class BundlePlanner(BackgroundPlanner):
    """Pictures of bundles. ``chosen`` are shown together under one stated product; without them each
    product's source names its parts, and products that are not bundles get pictures of their own.

    ``parts`` and ``tables``, the cut-outs by model, are set by ``for_block``.
    """

    chosen: tuple[Model, ...] = ()
    parts: Mapping[str, Sequence[BundlePart] | NBCatalogError] = field(default_factory=dict)
    tables: Mapping[str, CutoutTable] = field(default_factory=dict)

    @property
    def reference_count(self) -> int:
        return self._references(len(self.chosen) or MOST_PARTS)

    @property
    def least_references(self) -> int:
        return self._references(len(self.chosen) or LEAST_PARTS)

    def as_request(self) -> dict[str, object]:
        request = {**super().as_request(), "bundles": True}
        if self.chosen:
            del request["bundles"]
            request["parts"] = [[source_for(each).label, str(each.pk)] for each in self.chosen]
        return request

    def objections(self) -> Iterator[str]:
        yield from super().objections()
        if self.provider.composites:
            yield from place_objections(self.scenes)

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the parts of ``products`` and their cut-outs: one query per model of theirs
        for cut-outs, and those of their sources' own lookups."""
        planner = super().for_block(products)
        parts = {str(product.pk): self._parts_of(product) for product in products}
        if not self.shows_photo:
            return replace(planner, parts=parts)
        by_source: dict[CatalogSource, dict[str, Model]] = defaultdict(dict)
        for each in parts.values():
            for part in [] if isinstance(each, NBCatalogError) else each:
                by_source[part.source][str(part.product.pk)] = part.product
        tables = {
            source.label: cutouts_of(source, list(rows.values()))
            for source, rows in by_source.items()
        }
        return replace(planner, parts=parts, tables=tables)

    def specs(self, product: Model) -> Iterator[ImageSpec]:
        """Yield the specs of one bundle's pictures, or of one product's that is not a bundle.

        Raises ``PictureError`` that names the part without a usable photo, and ``RequestRefused`` for parts
        that cannot be shown together.
        """
        parts = self.parts[str(product.pk)]
        if isinstance(parts, NBCatalogError):
            raise parts
        if not parts:
            yield from super().specs(product)
            return
        needed, most = self._references(len(parts)), self.tier.model_spec.max_references
        if not self.provider.composites and needed > most:
            raise RequestRefused(
                _(
                    "%(model)s takes at most %(most)s reference pictures per request, not %(needed)s."
                )
                % {"model": self.tier.model, "most": most, "needed": needed}
            )
        described = [self._described(part) for part in parts]
        for scene in self.scenes:
            spec = self._bundle_spec(product, parts, described, scene)
            for variant in range(1, self.variants + 1):
                yield replace(spec, variant=variant)

    def part_specs(self, product: Model) -> tuple[list[BundlePart], list[PartSpec]]:
        """Return the parts of one bundle of the block, and how specs describe them; none of a product that is
        not a bundle. Raises what ``specs`` does."""
        parts = self.parts[str(product.pk)]
        if isinstance(parts, NBCatalogError):
            raise parts
        return list(parts), [self._described(part) for part in parts]

    def part_photos(self, product: Model) -> list[Photo]:
        """Return the photos of a bundle in order; none if it cannot be planned."""
        parts = self._parts_of(product)
        return [] if isinstance(parts, NBCatalogError) else [each.photo for each in parts]

    def warnings(self, product: Model) -> Iterator[str]:
        return iter(())

    def _references(self, parts: int) -> int:
        """Return how many pictures are sent along for ``parts`` products."""
        if self.provider.composites or self.treatment != Treatment.PAINTED:
            return super().reference_count
        return parts + any(scene.backdrop_sha256 for scene in self.scenes)

    def _parts_of(self, product: Model) -> Sequence[BundlePart] | NBCatalogError:
        try:
            named = self.chosen or bundle_of(product)
            return resolve_parts(product, named) if named else ()
        except NBCatalogError as error:
            return error

    def _described(self, part: BundlePart) -> PartSpec:
        try:
            self.photo_reader.check(part.photo)
            cutout = cutout_in(self.tables.get(part.source.label, {}), part.product, part.photo)
            kind = ""
            if self.shows_photo:
                kind = kind_of(part.product, part.photo, cutout)
                if kind not in (PhotoKind.FULL_FRAME, PhotoKind.LIFESTYLE):
                    self.photos.add(part.product, part.photo, cutout)
                require_usable(kind, cutout)
            return PartSpec(
                object_type=part.source.label,
                object_id=str(part.product.pk),
                photo=part.photo.name,
                photo_version=part.photo.version,
                photo_kind=kind,
                cutout=cutout.person_mask if cutout is not None else "",
                pose=pose_of(part.product) if self.shows_photo else "",
                height_cm=(part.is_named and height_of(part.product)) or 0.0,
            )
        except PictureError as error:
            raise type(error)(
                _("“%(product)s”: %(problem)s") % {"product": part.title, "problem": error}
            ) from error

    def _bundle_spec(
        self, product: Model, parts: Sequence[BundlePart], described: list[PartSpec], scene: Scene
    ) -> ImageSpec:
        spec = replace(
            self.spec_in(scene, product, parts[0].photo),
            pose="",
            parts=tuple(each.as_dict() for each in described),
        )
        renders = self.provider.composites
        if renders and scene.local_options.get("view") == "front" and spec.seen_from == "top":
            lying = next(
                part.title
                for part, each in zip(parts, described, strict=True)
                if each.pose == "lying"
            )
            raise RequestRefused(
                _(
                    "“%(product)s” lies flat, and the scene “%(scene)s” is always seen from the front. "
                    "Choose a scene that can be seen from above."
                )
                % {"product": lying, "scene": scene.name}
            )
        if renders:
            return spec
        with translation.override(django_settings.LANGUAGE_CODE):
            shown = [self._bundled(part, each) for part, each in zip(parts, described, strict=True)]
            prompt = bundle_prompt(
                treatment=self.treatment,
                products=shown,
                scene_prompt=scene.prompt,
                ratio=self.ratio,
                has_backdrop=bool(scene.backdrop_sha256),
                view=spec.seen_from,
            )
        return replace(spec, prompt=prompt)

    def _bundled(self, part: BundlePart, described: PartSpec) -> BundledProduct:
        with host_code(f"{type(part.source).__name__}, title() or facts(),"):
            if not part.is_named:
                alt = part.photo.alt
                return BundledProduct(
                    title=alt if alt != part.source.title(part.product) else "", facts={}
                )
            return BundledProduct(
                title=part.source.title(part.product),
                facts=part.source.facts(part.product),
                height_cm=described.height_cm,
            )


def place_objections(scenes: Iterable[Scene]) -> Iterator[str]:
    """Yield which of ``scenes`` have no room for several products."""
    for scene in scenes:
        if scene.backdrop_sha256:
            yield (
                _(
                    "The scene “%(scene)s” is a photo, in which there is a place for one product only. "
                    "Choose a rendered scene, or a tier with a model."
                )
                % {"scene": scene.name}
            )


def chosen_parts(products: Products, parts: Sequence[Model | Sequence[str]]) -> tuple[Model, ...]:
    """Return the objects that are to be shown together under the one product of ``products``.

    Raises ``PlanRefused`` for parts that do not exist or cannot be shown together, ``NotRegistered``.
    """
    stated = list(products[:2])
    if len(stated) != 1:
        raise PlanRefused(
            _("One picture of several products is kept under one of them. State exactly one.")
        )
    rows: list[Model] = []
    for each in parts:
        if isinstance(each, Model):
            rows.append(each)
            continue
        label, key = each
        source = source_for(label)
        try:
            row = source.queryset().filter(pk=key).first()
        except (ValueError, ValidationError):
            row = None
        if row is None:
            raise PlanRefused(
                _("There is no %(model)s %(key)s.") % {"model": source.label, "key": key}
            )
        rows.append(row)
    try:
        resolve_parts(stated[0], rows)
    except RequestRefused as refusal:
        raise PlanRefused(*refusal.objections) from refusal
    except NBCatalogError as error:
        raise PlanRefused(str(error)) from error
    return tuple(rows)


def resolve_parts(product: Model, named: Sequence[Model | Photo]) -> list[BundlePart]:
    """Return the parts of a bundle with their photos. A ``Photo`` shows a product of ``product`` itself.

    Raises ``RequestRefused`` for too few or too many parts, for one that is named twice or is a bundle
    itself, and ``PictureMissing`` for one without a photo.
    """
    if not LEAST_PARTS <= len(named) <= MOST_PARTS:
        raise RequestRefused(
            _(
                "A bundle shows %(least)s to %(most)s products together, and this one has %(number)s."
            )
            % {"least": LEAST_PARTS, "most": MOST_PARTS, "number": len(named)}
        )
    rows: dict[CatalogSource, list[Model]] = defaultdict(list)
    for each in named:
        if not isinstance(each, Photo):
            rows[source_for(each)].append(each)
    for source, group in rows.items():
        if lookups := (*source.field_lookups(), *source.photo_lookups()):
            prefetch_related_objects(group, *lookups)
    parts: list[BundlePart] = []
    for each in named:
        part = _part(product, each)
        if any(
            (other.source, other.product.pk, other.photo.name)
            == (part.source, part.product.pk, part.photo.name)
            for other in parts
        ):
            raise RequestRefused(
                _("“%(product)s” is in the bundle twice. Name each product once.")
                % {"product": part.title}
            )
        parts.append(part)
    return parts


def _part(product: Model, named: Model | Photo) -> BundlePart:
    if isinstance(named, Photo):
        return BundlePart(product, named, is_named=False)
    source = source_for(named)
    if named != product and bundle_of(named):
        raise RequestRefused(
            _("“%(product)s” is a bundle itself. Name its products.")
            % {"product": source.title(named)}
        )
    with host_code(f"{type(source).__name__}.photos()"):
        photos = source.photos(named)
    if not photos:
        raise PictureMissing(
            _("“%(product)s”, a part of the bundle, has no photo. Upload one.")
            % {"product": source.title(named)}
        )
    return BundlePart(named, photos[0])
