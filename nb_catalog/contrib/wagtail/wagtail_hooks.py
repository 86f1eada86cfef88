"""Wagtail imports this module by its name: the menu, the buttons, the pages and the permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLResolver, path, reverse
from django.utils.functional import classproperty
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem
from wagtail.admin.views.pages.bulk_actions.page_bulk_action import PageBulkAction
from wagtail.admin.widgets import Button
from wagtail.models import Page
from wagtail.snippets.bulk_actions.snippet_bulk_action import SnippetBulkAction
from wagtail.snippets.models import get_snippet_models

from nb_catalog.contrib.labels import with_waiting
from nb_catalog.contrib.wagtail.site import site
from nb_catalog.core.permissions import Action, may
from nb_catalog.registry import is_registered, registered

LABEL = _("Generate pictures…")


class PicturesItem(MenuItem):
    """An entry for those who may do ``action``."""

    def __init__(self, label: Any, page: str, *, action: Action, **options: Any) -> None:
        super().__init__(label, reverse(f"{site.name}:nb_catalog_{page}"), **options)
        self.action = action

    def is_shown(self, request: HttpRequest) -> bool:
        return may(request.user, self.action)


class ReviewItem(PicturesItem):
    """The review desk, with the number of pictures that wait."""

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        component.label = with_waiting(component.label)
        return component


@hooks.register("register_admin_urls")
def urls() -> list[URLResolver]:
    return [path("catalog-pictures/", site.urls)]


@hooks.register("register_admin_menu_item")
def menu_item() -> SubmenuMenuItem:
    entries = [
        ReviewItem(
            _("Review pictures"),
            "productimage_review",
            action=Action.VIEW_IMAGES,
            name="nb-catalog-review",
            icon_name="check",
            order=100,
        ),
        PicturesItem(
            _("Series"),
            "series_changelist",
            action=Action.VIEW_SERIES,
            name="nb-catalog-series",
            icon_name="list-ul",
            order=200,
        ),
        PicturesItem(
            _("Runs"),
            "run_changelist",
            action=Action.VIEW_RUNS,
            name="nb-catalog-runs",
            icon_name="history",
            order=300,
        ),
        PicturesItem(
            _("Published pictures"),
            "placement_changelist",
            action=Action.VIEW_PLACEMENTS,
            name="nb-catalog-published",
            icon_name="view",
            order=400,
        ),
    ]
    overview = Overview(entries)
    return SubmenuMenuItem(
        _("Catalog images"),
        Menu(items=[overview, *entries]),
        name="nb-catalog",
        icon_name="image",
        order=450,
    )


class Overview(MenuItem):
    """The app's start page, for all who see one of ``entries``."""

    def __init__(self, entries: list[PicturesItem]) -> None:
        url = reverse(f"{site.name}:app_list", args=["nb_catalog"])
        super().__init__(_("Overview"), url, name="nb-catalog-home", icon_name="home", order=10)
        self.entries = entries

    def is_shown(self, request: HttpRequest) -> bool:
        return any(each.is_shown(request) for each in self.entries)


@hooks.register("register_permissions")
def permissions() -> QuerySet[Permission]:
    """Return what the group editor offers besides: the app's permissions, and to view pages with pictures."""
    offered = Q(content_type__app_label="nb_catalog")
    for source in registered().values():
        options = source.model._meta
        if issubclass(source.model, Page):
            offered |= Q(
                content_type__app_label=options.app_label, codename=f"view_{options.model_name}"
            )
    return Permission.objects.filter(offered)


@hooks.register("register_page_listing_more_buttons")
@hooks.register("register_page_header_buttons")
def page_buttons(
    page: Any, user: Any, next_url: Any = None, view_name: str = ""
) -> Iterator[Button]:
    model = page.specific_class
    if model is not None and is_registered(model):
        yield from _buttons(model(pk=page.pk), user=user)


@hooks.register("register_snippet_listing_buttons")
def snippet_buttons(snippet: Any, user: Any, next_url: Any = None) -> Iterator[Button]:
    yield from _buttons(snippet, user=user)


def _buttons(product: Any, *, user: Any) -> Iterator[Button]:
    if site.may_generate(product, user=user):
        url = site.choose_url(type(product), keys=[product.pk])
        yield Button(LABEL, url, icon_name="image", priority=70)


class GeneratesPictures:
    """A bulk action that goes on to the plan, where everything else is asked."""

    display_name = LABEL
    aria_label = _("Generate pictures of the selected objects")
    action_type = "generate_catalog_pictures"
    template_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        objects, _others = self.get_actionable_objects()
        classes = [getattr(each, "specific_class", type(each)) for each in objects]
        # A plan is about one model: that of the first of them.
        model = next((each for each in classes if each and is_registered(each)), None)
        if model is None:
            messages.warning(request, gettext("None of the selected objects can have pictures."))
            return redirect(self.next_url)
        keys = [each.pk for each, its in zip(objects, classes, strict=True) if its is model]
        return site.plan(request, model, keys=keys)


@hooks.register("register_bulk_action")
class GeneratePagePictures(GeneratesPictures, PageBulkAction):
    @classproperty
    def models(cls) -> list[Any]:
        return [Page] if any(issubclass(each, Page) for each in registered()) else []


@hooks.register("register_bulk_action")
class GenerateSnippetPictures(GeneratesPictures, SnippetBulkAction):
    @classproperty
    def models(cls) -> list[Any]:
        return [each for each in get_snippet_models() if is_registered(each)]
