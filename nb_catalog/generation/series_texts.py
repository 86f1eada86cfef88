"""The text pictures of a series: its layout and its copy deck on the pictures of its members, in every
locale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.iteration import blocks
from nb_catalog.core.specs import ImageSpec, request_hash_of_member
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import NBCatalogError, PictureMissing, RequestRefused
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.generation.plan import ItemStatus
from nb_catalog.generation.planners import Impossible
from nb_catalog.generation.series import MemberProducts
from nb_catalog.generation.series_pictures import MemberPicture, member_pictures
from nb_catalog.generation.text_checks import MAX_SET, TextChecks
from nb_catalog.generation.text_overlays import Overlay, ProductInfo, TypesetPlanner
from nb_catalog.models import ProductImage, Series, TextLayout
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import source_for

BLOCK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberText:
    """The text picture of a member in one locale.

    ``image`` shows today's text on the member's picture if ``status`` is "present", and is the latest one
    with something else otherwise; None if there is none. ``problem`` says why there can be none now.
    """

    picture: MemberPicture
    locale: str
    status: ItemStatus
    image: ProductImage | None = None
    problem: str = ""

    @property
    def is_current(self) -> bool:
        return self.status == ItemStatus.PRESENT


@dataclass(frozen=True, kw_only=True)
class SeriesTextPlanner(TypesetPlanner):
    """The texts of ``series`` on the pictures that its members have now, in the shop's locales.

    ``waiting`` are the variants of each product whose picture comes first; ``for_block`` sets them.
    """

    series: Series
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)

    kind: ClassVar[str] = "series_texts"

    @classmethod
    def of(cls, series: Series) -> Self:
        """Return the planner of ``series``. Raises ``RequestRefused`` if it has no layout,
        ``NotRegistered``."""
        if series.layout is None:
            raise RequestRefused(
                _("The series “%(name)s” has no text layout. Choose one.") % {"name": series.name}
            )
        return cls(
            source=source_for(series.label),
            layouts=(series.layout,),
            locales=tuple(settings.LOCALES),
            slot=series.slot,
            deck=series.deck,
            series=series,
        )

    @property
    def per_product(self) -> int:
        return len(self.locales)

    def title(self) -> str:
        return _("Series: %(name)s (text)") % {"name": self.series.name}

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "series": self.series.key,
            "version": self.series.version,
        }

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        """Return a copy with the sizes of its texts: of a plan of some members, they are those of all."""
        members = self.series.members.filter(removed_at=None).order_by("position", "pk")
        keys = dict.fromkeys(members.values_list("object_id", flat=True))
        return super().prepared(lambda: MemberProducts(self.source, list(keys)))

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the pictures of the members that show ``products``."""
        keys = [str(product.pk) for product in products]
        members = self.series.members.filter(object_id__in=keys, removed_at=None)
        rows = list(members.order_by("position", "pk"))
        return self.on(list(member_pictures(self.series, rows)))

    def on(self, pictures: Iterable[MemberPicture]) -> Self:
        """Return a copy that puts its texts on ``pictures``."""
        bases: dict[str, list[ProductImage]] = defaultdict(list)
        waiting: dict[str, list[str]] = defaultdict(list)
        for each in pictures:
            if each.is_current and each.image is not None and each.image.pruned_at is None:
                bases[each.member.object_id].append(each.image)
            else:
                waiting[each.member.object_id].append(each.member.variant)
        return replace(self, bases=bases, waiting=waiting)

    def specs(self, product: Model) -> Iterator[ImageSpec | Impossible | NBCatalogError]:  # type: ignore[override]
        if self.bases.get(str(product.pk)):
            yield from super().specs(product)
        for variant in self.waiting.get(str(product.pk), ()):
            first = PictureMissing(_("The picture comes first: make the pictures of the series."))
            yield from [Impossible(first, variant)] * len(self.locales)

    def overlay_spec(
        self,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
        info: ProductInfo,
    ) -> ImageSpec | NBCatalogError:
        spec = super().overlay_spec(base, row, texts=texts, locale=locale, info=info)
        if not isinstance(spec, ImageSpec):
            return spec
        return replace(spec, series=self.series.key, product_variant=base.variant)


def member_texts(
    series: Series, pictures: Iterable[MemberPicture], *, are_set: bool = True
) -> Iterator[MemberText]:
    """Yield the text pictures of ``pictures``, members of ``series`` in any order: one for each of the shop's
    locales. Nothing if the series has no layout.

    Two queries for each ``BLOCK`` of members. Texts are set in the layout, so that what does not fit is
    known, unless ``are_set`` is False: on a page, that would take too long.
    """
    if series.layout is None:
        return
    whole = SeriesTextPlanner.of(series).prepared(tuple)
    if not are_set:
        whole = replace(whole, checks=TextChecks(count=MAX_SET))
    for block in blocks(pictures, size=BLOCK):
        planner = whole.on(block)
        found = [each for picture in block for each in _wanted(planner, picture)]
        specs = [spec for *_about, spec in found if isinstance(spec, ImageSpec)]
        usable = ProductImage.objects.filter(kind=ImageKind.PICTURE, state__in=USABLE_STATES)
        current = {
            image.fingerprint: image
            for image in sorted(
                usable.filter(fingerprint__in={spec.fingerprint for spec in specs}),
                key=lambda image: (image.state == ImageState.APPROVED, image.pk),
            )
        }
        hashes = {
            _hash(planner, picture, locale): (picture, locale) for picture, locale, _spec in found
        }
        others = usable.filter(request_hash__in=hashes).exclude(fingerprint__in=current)
        latest = {image.request_hash: image for image in others.order_by("pk")}
        for picture, locale, spec in found:
            image = current.get(spec.fingerprint) if isinstance(spec, ImageSpec) else None
            status = ItemStatus.PRESENT
            if image is None:
                image = latest.get(_hash(planner, picture, locale))
                status = ItemStatus.MISSING if image is None else ItemStatus.STALE
                if not isinstance(spec, ImageSpec):
                    status = ItemStatus.IMPOSSIBLE
            problem = "" if isinstance(spec, ImageSpec) else str(spec)
            yield MemberText(
                picture=picture, locale=locale, status=status, image=image, problem=problem
            )


def _hash(planner: SeriesTextPlanner, picture: MemberPicture, locale: str) -> str:
    return request_hash_of_member(
        planner.source.label,
        picture.member.object_id,
        series=planner.series.key,
        variant=picture.member.variant,
        locale=locale,
    )


def _wanted(
    planner: SeriesTextPlanner, picture: MemberPicture
) -> Iterator[tuple[MemberPicture, str, ImageSpec | NBCatalogError]]:
    """Yield the spec of the text of ``picture`` in each locale, or why there is none now."""
    product, base = picture.product, picture.image
    if product is None or base is None or not picture.is_current:
        first = PictureMissing(_("The picture comes first: make the pictures of the series."))
        for locale in planner.locales:
            yield picture, locale, first
        return
    own = replace(planner, bases={str(product.pk): [base]}, waiting={})
    for locale, wanted in zip(planner.locales, own.overlays(product), strict=True):
        if not isinstance(wanted, Overlay):
            yield picture, locale, wanted
            continue
        spec = own.overlay_spec(
            base, wanted.row, texts=wanted.texts, locale=locale, info=ProductInfo()
        )
        yield picture, locale, spec
