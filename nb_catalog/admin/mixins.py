"""Mixin that adds picture actions and links to the host project's own ``ModelAdmin``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core import checks
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import select_template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import tasks
from nb_catalog.admin.base import declares
from nb_catalog.admin.cutouts.summary import summary_of
from nb_catalog.admin.generate import refresh, selection
from nb_catalog.admin.product_pictures import pictures_of_products
from nb_catalog.core.permissions import Action, may, may_view
from nb_catalog.cutouts.photos import request_for_products
from nb_catalog.exceptions import NotRegistered
from nb_catalog.models import Experiment, ProductImage, Publication, Run, Series
from nb_catalog.registry import is_registered, source_for, subject_of


class CatalogImagesMixin:
    """Adds the actions "Generate pictures…", "Use the photos themselves…", "Add text to pictures…",
    "Regenerate outdated pictures", "Cut out photos", "Add to a series…", "Variants…",
    "Compare two scenes…" and "Preview at a moment…".

    Also adds links to the product's pictures and cut-outs, and the column ``catalog_pictures`` for
    ``list_display``. The model must be registered with nb_catalog.

    After saving a product, a message reports published pictures whose text is now out of date.

    The actions are appended in ``__init__``, so the host's own ``actions`` are kept.
    ``actions = None`` disables them, like Django's own.
    """

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        if self.actions is not None:
            self.actions = [
                *self.actions,
                "generate_catalog_pictures",
                "use_catalog_photos",
                "put_text_on_pictures",
                "renew_catalog_pictures",
                "cut_out_photos",
                "add_to_catalog_series",
                "show_catalog_variants",
                "compare_catalog_scenes",
                "preview_catalog_moment",
            ]
        self._own_change_form = self.change_form_template
        self.change_form_template = "admin/nb_catalog/catalog_object/change_form.html"

    def check(self, **options: Any) -> list[checks.CheckMessage]:
        """Check also that the model and, on this admin site, our own pages are registered."""
        problems: list[checks.CheckMessage] = [*super().check(**options)]
        try:
            source_for(self.model)
        except NotRegistered as error:
            message, _dot, hint = str(error).partition(". ")
            problems.append(
                checks.Error(f"{message}.", hint=hint, obj=type(self), id="nb_catalog.E101")
            )
        missing = [
            m
            for m in (Run, ProductImage, Series, Experiment)
            if not self.admin_site.is_registered(m)
        ]
        if missing:
            names = ", ".join(model.__name__ for model in missing)
            problems.append(
                checks.Error(
                    f"The admin site {self.admin_site.name!r} does not have {names} of nb_catalog.",
                    hint="Register them there: RunAdmin, ProductImageAdmin, SeriesAdmin, ExperimentAdmin of "
                    "nb_catalog.admin.",
                    obj=type(self),
                    id="nb_catalog.E102",
                )
            )
        return problems

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        queryset = super().get_queryset(request)
        # A link to the pictures of each row must not cost a query per row.
        lookups = source_for(self.model).subject_lookups() if is_registered(self.model) else ()
        return queryset.prefetch_related(*lookups) if lookups else queryset

    def has_generate_catalog_pictures_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.PLAN, model=self.model)

    @declares(Action.START_RUN, api="run_create")
    @admin.action(description=_("Generate pictures…"), permissions=["generate_catalog_pictures"])
    def generate_catalog_pictures(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection, of any size, and go to the page that plans its pictures."""
        return self._with_selection(request, queryset, page="run_generate")

    @declares(Action.START_RUN, api="run_photos")
    @admin.action(
        description=_("Use the photos themselves…"), permissions=["generate_catalog_pictures"]
    )
    def use_catalog_photos(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection and go to the page that makes pictures of its photos."""
        return self._with_selection(request, queryset, page="run_photos")

    @declares(Action.START_RUN, api="run_texts")
    @admin.action(description=_("Add text to pictures…"), permissions=["generate_catalog_pictures"])
    def put_text_on_pictures(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection and go to the page that plans text on its pictures."""
        return self._with_selection(request, queryset, page="run_texts")

    @declares(Action.START_RUN, api="run_renewal")
    @admin.action(
        description=_("Regenerate outdated pictures"),
        permissions=["generate_catalog_pictures"],
    )
    def renew_catalog_pictures(
        self, request: HttpRequest, queryset: QuerySet
    ) -> HttpResponse | None:
        """Regenerate published pictures of the selected products whose text is out of date."""
        return refresh.refresh_with_messages(request, queryset, model_admin=self)

    @declares(Action.REQUEST_CUTOUTS, api="cutout_request_cutouts")
    @admin.action(description=_("Cut out photos"), permissions=["generate_catalog_pictures"])
    def cut_out_photos(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Have a worker cut out the photos of the selected products that have not been cut out yet."""
        try:
            count = request_for_products(queryset.iterator(chunk_size=200))
        except NotRegistered as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        if not count:
            message = gettext("The photos of these products have been cut out already.")
            self.message_user(request, message, messages.INFO)
            return
        tasks.wake_up()
        message = ngettext(
            "%d photo will be cut out. This takes a moment.",
            "%d photos will be cut out. This takes a moment.",
            count,
        )
        self.message_user(request, message % count, messages.SUCCESS)

    def has_change_catalog_series_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.CHANGE_SERIES, model=self.model)

    @declares(Action.CHANGE_SERIES, api="series_add")
    @admin.action(description=_("Add to a series…"), permissions=["change_catalog_series"])
    def add_to_catalog_series(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection and go to the page that adds it to a series."""
        return self._with_selection(request, queryset, page="series_choose")

    @declares(Action.CHANGE_SERIES, api="series_add_variants")
    @admin.action(description=_("Variants…"), permissions=["change_catalog_series"])
    def show_catalog_variants(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection and go to the page that adds its variants to a series."""
        return self._with_selection(request, queryset, page="series_variants")

    @declares(Action.START_EXPERIMENT, api="experiment_create")
    @admin.action(description=_("Compare two scenes…"), permissions=["generate_catalog_pictures"])
    def compare_catalog_scenes(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection and go to the page that plans an experiment with it."""
        return self._with_selection(request, queryset, page="experiment_add")

    def save_related(self, request: HttpRequest, form: Any, *args: Any, **options: Any) -> None:
        super().save_related(request, form, *args, **options)
        if not is_registered(self.model):
            return
        refresh.request_photos(form.instance, again=bool(request.FILES))
        if self._may_view_pictures(request):
            refresh.warn_about_product(request, form.instance, model_admin=self)

    def has_preview_catalog_moment_permission(self, request: HttpRequest) -> bool:
        return (
            may(request.user, Action.VIEW_PLACEMENTS)
            and may_view(request.user, self.model)
            and self.admin_site.is_registered(Publication)
        )

    @declares(Action.VIEW_PLACEMENTS, api="placement_moment")
    @admin.action(description=_("Preview at a moment…"), permissions=["preview_catalog_moment"])
    def preview_catalog_moment(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        """Store the selection and go to the page that shows its places at another moment."""
        return self._with_selection(request, queryset, page="publication_moment")

    def _with_selection(
        self, request: HttpRequest, queryset: QuerySet, *, page: str
    ) -> HttpResponse | None:
        key = "pk"
        if is_registered(self.model):
            # A child by multi-table inheritance has the key of its parent's row too.
            key = source_for(self.model).model._meta.pk.name
        keys = queryset.order_by().values_list(key, flat=True)
        try:
            token = selection.store_selection(request, model=self.model, keys=keys.iterator())
        except NotRegistered as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        return redirect(f"{self._catalog_url(page)}?selection={token}")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        if "catalog_pictures" in changelist.list_display and self._may_view_pictures(request):
            # Evaluated once: the list, also an editable one, shows these very rows.
            pictures = pictures_of_products(changelist.result_list, site=self.admin_site)
            for row in changelist.result_list:
                row.catalog_pictures_shown = pictures[row]
        return changelist

    @admin.display(description=_("Pictures"))
    def catalog_pictures(self, product: Model) -> str:
        """Column with the newest picture of each product, how many there are, and a link to them."""
        url = self.catalog_pictures_url(product)
        shown = getattr(product, "catalog_pictures_shown", None)
        if shown is None or not shown.counts:
            return format_html('<a href="{}">{}</a>', url, gettext("Pictures"))
        if not shown.thumbnail_url:
            return format_html('<a href="{}">{}</a>', url, shown.counts)
        return format_html(
            '<a href="{}"><img src="{}" width="56" alt="" loading="lazy"><br>{}</a>',
            url,
            shown.thumbnail_url,
            shown.counts,
        )

    def catalog_pictures_url(self, product: Model) -> str:
        """Return the URL of the review page for ``product``."""
        subject = subject_of(product)
        query = urlencode({"model": _label(subject), "product": subject.pk, "state": "all"})
        return f"{self._catalog_url('productimage_review')}?{query}"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        context["catalog_images_base"] = self.change_form_base()
        product = options.get("obj")
        product = product if is_registered(self.model) else None
        if product is not None and self._may_view_pictures(request):
            context["catalog_pictures_url"] = self.catalog_pictures_url(product)
        if product is not None and may(
            request.user, Action.VIEW_CUTOUTS, model=source_for(subject_of(product)).model
        ):
            context["catalog_cutouts"] = summary_of(product, site=self.admin_site)
        if product is not None and self.has_generate_catalog_pictures_permission(request):
            subject = subject_of(product)
            query = urlencode({"model": _label(subject), "key": subject.pk})
            context["catalog_generate_url"] = f"{self._catalog_url('run_generate')}?{query}"
        return super().render_change_form(request, context, *args, **options)

    def _may_view_pictures(self, request: HttpRequest) -> bool:
        return may(request.user, Action.VIEW_IMAGES)

    def change_form_base(self) -> Any:
        """Return the template to extend: the host's own, otherwise the one that Django would use."""
        label, name = self.opts.app_label, self.opts.model_name
        stock = [
            f"admin/{label}/{name}/change_form.html",
            f"admin/{label}/change_form.html",
            "admin/change_form.html",
        ]
        return select_template([self._own_change_form] if self._own_change_form else stock)

    def _catalog_url(self, name: str) -> str:
        return reverse(f"{self.admin_site.name}:nb_catalog_{name}")


def _label(product: Model) -> str:
    return source_for(product).label
