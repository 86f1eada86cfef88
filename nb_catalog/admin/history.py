"""The page of a picture: its family, recipe, checks, decisions, and where it is and was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog import review, storefront
from nb_catalog.admin import thumbnails
from nb_catalog.admin.cutouts.cards import METHODS, cut_url
from nb_catalog.admin.formatting import dollars, language_name, micro_dollars, place_name
from nb_catalog.admin.generate.like import LIKE, PAGES, remember
from nb_catalog.admin.placements import CHANGES
from nb_catalog.admin.review.check_notes import notes_of
from nb_catalog.admin.thumbnails import RENDITIONS
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import Treatment
from nb_catalog.cutouts.previews import SMALL
from nb_catalog.generation.similar import SimilarPlan
from nb_catalog.models import CopyDeck, ProductImage, Scene, TextLayout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.registry import source_for
from nb_catalog.review.family import Family, Relative
from nb_catalog.review.history import History
from nb_catalog.review.photo_origins import PhotoOrigin, PhotoState
from nb_catalog.review.recipes import CostKind, Recipe

DECISIONS: Final[Mapping[str, Any]] = {
    "approve": _("Approved"),
    "reject": _("Rejected"),
    "retire": _("Retired"),
    "pass_over": _("Retired: another final was chosen"),
    "reconsider": _("Returned to review"),
    "restore": _("Approved again"),
}
# From this depth on, branches are not indented any further.
DEEPEST: Final = 5


class Node(NamedTuple):
    """A picture in the tree as the page draws it.

    ``opens``: a list of those below it follows; ``is_only``: of a single one. ``closes`` has an item for
    each list that ends behind it.
    """

    relative: Relative
    thumbnail: str
    published_in: str
    is_current: bool
    opens: bool
    is_only: bool
    is_deep: bool
    closes: range


class ShownPhoto(NamedTuple):
    """A photo at the root of the tree. URLs are "" where there is nothing to show."""

    title: str
    name: str
    state: str
    is_current: bool
    url: str
    cutout: str
    cutout_doubts: bool
    cut_url: str
    editor_url: str
    mask_changed: bool


class HistoryViews:
    """The history as the page of a picture, and what begins with it, as parts of ``ProductImageAdmin``."""

    def like_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/like/",
                require_POST(self.like_others),
                name="like",
                action=Action.VIEW_IMAGES,
                api="image_history plan_create",
            )
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the page of the picture: what happened to it is there."""
        return redirect(self.url_of("change", object_id))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        image = options.get("obj")
        if image is not None:
            context.update(self.history_context(request, image))
        return super().render_change_form(request, context, *args, **options)

    def history_context(self, request: HttpRequest, image: ProductImage) -> dict[str, Any]:
        """Return what the template shows. The number of queries does not depend on the family's size."""
        rows = ProductImage.objects.prefetch_related(RENDITIONS)
        history = review.history_of(image, user=request.user, rows=rows)
        site, info = self.admin_site, image.object_info
        may_plan = history.similar is not None and info.exists and bool(info.label)
        may_plan = may_plan and may(
            request.user, Action.PLAN, model=source_for(info.label).model
        )  # fmt: skip
        return {
            "title": gettext("Picture %(pk)s") % {"pk": image.pk},
            "subtitle": None,
            "image": image,
            "info": info,
            "history": history,
            "photos": [_shown_photo(each, request=request, site=site) for each in history.photos],
            "tree": list(_nodes(history.family, current=image.pk, site=site)),
            "left_out": history.family.left_out,
            "facts": list(_facts(history)),
            "cost": _cost_text(history.recipe),
            "calls": [(each, micro_dollars(each.cost_microusd)) for each in history.recipe.calls],
            "notes": notes_of(image),
            "decisions": [
                (DECISIONS.get(each.move, each.move), each) for each in history.decisions
            ],
            "publications": [
                (
                    place_name(each.slot, position=each.position, locale=each.locale),
                    CHANGES.get(each.started.move, each.started.move) if each.started else "",
                    CHANGES.get(each.ended.move, each.ended.move) if each.ended else "",
                    each,
                )
                for each in history.publications
            ],
            "similar": history.similar if may_plan else None,
            "similar_url": _similar_url(image, history.similar, site=site) if may_plan else "",
            "may_edit": may(request.user, Action.EDIT),
            "may_make_final": may(request.user, Action.MAKE_FINAL),
            "picture_url": thumbnails.original_url(image, site=site),
            "large_url": thumbnails.thumbnail_url(image, site=site, width=thumbnails.LARGE),
        }

    def like_others(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: go to the list of products; the page of the plan made there begins like this picture."""
        image = get_object_or_404(ProductImage, pk=pk)
        model = image.content_type.model_class()
        if model is None or not may(request.user, Action.PLAN, model=model):
            raise PermissionDenied
        options = model._meta
        try:
            name = f"{self.admin_site.name}:{options.app_label}_{options.model_name}_changelist"
            url = reverse(name)
        except NoReverseMatch:
            message = gettext("The products have no list on this site.")
            self.message_user(request, message, messages.WARNING)
            return redirect(self.url_of("change", pk))
        remember(request, image)
        message = gettext(
            "Select products and choose the action. Its page begins with the options of picture %(pk)s."
        )
        self.message_user(request, message % {"pk": pk}, messages.INFO)
        return redirect(url)


def _nodes(family: Family, *, current: int, site: Any) -> Iterator[Node]:
    relatives = family.relatives
    below: dict[int | None, int] = {}
    for each in relatives:
        below[each.above] = below.get(each.above, 0) + 1
    for number, each in enumerate(relatives):
        is_last = number + 1 == len(relatives)
        following = 0 if is_last else relatives[number + 1].depth
        opens = not is_last and following > each.depth
        image = each.image
        yield Node(
            relative=each,
            thumbnail="" if each.is_pruned else thumbnails.thumbnail_url(image, site=site),
            published_in=", ".join(
                place_name(place.slot, position=place.position, locale=place.locale)
                for place in image.placements.all()
            ),
            is_current=image.pk == current,
            opens=opens,
            is_only=below.get(image.pk) == 1,
            is_deep=each.depth >= DEEPEST,
            closes=range(0 if opens else each.depth - following),
        )


def _shown_photo(origin: PhotoOrigin, *, request: HttpRequest, site: Any) -> ShownPhoto:
    row = origin.cutout
    cutout = ""
    if row is not None:
        cutout = str(CutoutState(row.state).label)
        if row.method:
            cutout += f" · {METHODS.get(row.method, row.method)}"
    model = None if row is None else row.content_type.model_class()
    sees_cutouts = model is not None and may(request.user, Action.VIEW_CUTOUTS, model=model)
    return ShownPhoto(
        title=origin.title,
        name=origin.name,
        state=str(origin.state.label),
        is_current=origin.state == PhotoState.CURRENT,
        url=storefront.photo_url(origin.photo) if origin.photo is not None else "",
        cutout=cutout,
        cutout_doubts=row is not None and row.state in (CutoutState.DOUBTFUL, CutoutState.REFUSED),
        cut_url=cut_url(row, site=site, side=SMALL) if sees_cutouts and origin.photo else "",
        editor_url=reverse(f"{site.name}:nb_catalog_photocutout_change", args=[row.pk])
        if sees_cutouts and origin.photo
        else "",
        mask_changed=origin.mask_changed,
    )


def _facts(history: History) -> Iterator[tuple[str, str]]:
    """Yield the recipe as names and values."""
    recipe, spec = history.recipe, history.recipe.spec
    changed = gettext("version %(then)s; it is version %(now)s today")
    for name, key, version, model in (
        (gettext("Scene"), spec.scene, spec.scene_version, Scene),
        (gettext("Layout"), spec.layout, spec.layout_version, TextLayout),
        (gettext("Copy deck"), spec.deck, spec.deck_version, CopyDeck),
    ):
        if not key:
            continue
        row = model.objects.filter(key=key).first()
        if row is None:
            value = gettext("%(name)s, version %(then)s: deleted since")
        elif row.version != version:
            value = f"%(name)s, {changed}"
        else:
            value = gettext("%(name)s, version %(then)s")
        values = {"name": row.name if row else key, "then": version}
        yield name, value % {**values, "now": row.version if row else ""}
    yield gettext("Treatment"), str(Treatment(spec.treatment).label)
    if spec.locale:
        yield gettext("Language of its text"), language_name(spec.locale)
    size = " · ".join(filter(None, (spec.ratio, spec.size)))
    if size:
        yield gettext("Requested"), size
    yield gettext("Variant"), str(spec.candidate or spec.variant)
    yield gettext("Provider"), spec.provider
    yield gettext("Model"), spec.model
    if recipe.model_version and recipe.model_version != spec.model:
        yield gettext("Version that answered"), recipe.model_version
    yield (
        gettext("Seed"),
        gettext("none is sent to models") if recipe.seed is None else str(recipe.seed),
    )
    if spec.series:
        yield gettext("Series"), spec.series


def _cost_text(recipe: Recipe) -> str:
    """Return what the picture cost; "" for users who may not know."""
    cost = recipe.cost
    if cost is None:
        return ""
    label = str(cost.kind.label)
    if cost.kind == CostKind.REPORTED:
        return f"{dollars(cost.reported_usd)} · {label}"
    if cost.kind == CostKind.OPEN:
        text = gettext("%(reported)s reported, %(open)s estimated") % {
            "reported": dollars(cost.reported_usd),
            "open": dollars(cost.open_usd),
        }
        return f"{text} · {label}"
    return label


def _similar_url(image: ProductImage, plan: SimilarPlan, *, site: Any) -> str:
    query = {"model": image.object_info.label, "key": image.object_id, LIKE: image.pk}
    return f"{reverse(f'{site.name}:nb_catalog_run_{PAGES[plan.kind]}')}?{urlencode(query)}"
