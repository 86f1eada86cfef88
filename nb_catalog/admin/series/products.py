"""Pages that add products to a series: found by their names, or chosen on the host's own list."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext

from nb_catalog import series as catalog_series
from nb_catalog import storefront
from nb_catalog.admin.catalog_objects import info_for_product
from nb_catalog.admin.changelists import INTEGER_KEY
from nb_catalog.admin.generate.selection import load_selection
from nb_catalog.admin.series.actions import added_message
from nb_catalog.admin.series.sheet import visible_to
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NBCatalogError, PictureMissing
from nb_catalog.generation.series import MemberProducts
from nb_catalog.models import Series
from nb_catalog.models.generic import content_type_of
from nb_catalog.operations.search import MAX_TERM
from nb_catalog.registry import photo_of_variant, source_for, subject_of, variants_of

# Products that a search shows.
MOST_FOUND: Final = 60


class ProductViews:
    """Adding products, as additional pages of ``SeriesAdmin``."""

    def product_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/products/",
                self.add_products,
                name="products",
                action=Action.CHANGE_SERIES,
                api="series_add series_remove",
            ),
            self.page(
                "choose/", self.choose, name="choose", action=Action.CHANGE_SERIES, api="series_add"
            ),
            self.page(
                "variants/",
                self.variants,
                name="variants",
                action=Action.CHANGE_SERIES,
                api="series_variants series_add_variants",
            ),
        ]

    def add_products(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET: search products and select some. POST: add them."""
        series = self.series_of(request, pk)
        source = source_for(series.label)
        if not may(request.user, Action.CHANGE_SERIES, model=source.model):
            raise PermissionDenied
        if request.method == "POST":
            keys = request.POST.getlist("chosen")
            self._add(request, series, MemberProducts(source, keys))
            return redirect(self.url_of("sheet", pk))
        term = request.GET.get("q", "").strip()[:MAX_TERM]
        found = source.search(term) if term else source.queryset()
        # An object may be found repeatedly; one more than are shown, if there are others.
        keys = list(dict.fromkeys(found.values_list("pk", flat=True)[: 4 * MOST_FOUND]))
        shown = list(MemberProducts(source, [str(key) for key in keys[:MOST_FOUND]]))
        members = series.members.filter(
            object_id__in=[str(product.pk) for product in shown], removed_at=None
        )
        present = set(members.values_list("object_id", flat=True))
        context = self.page_context(
            request,
            title=gettext("Add products to “%(name)s”") % {"name": series.name},
            series=series,
            term=term,
            found=[
                (info_for_product(product, site=self.admin_site), str(product.pk) in present)
                for product in shown
            ],
            is_cut=len(keys) > MOST_FOUND,
            model_name=source.model._meta.verbose_name_plural,
        )
        return TemplateResponse(request, "admin/nb_catalog/series/products.html", context)

    def choose(self, request: HttpRequest) -> HttpResponse:
        """GET: choose the series for the selected products. POST: add them to it."""
        return self._choose(request, title=gettext("Add to a series"), with_variants=False)

    def variants(self, request: HttpRequest) -> HttpResponse:
        """GET: choose the series for the selected products and their variants, of one product also which.
        POST: add them to it."""
        return self._choose(request, title=gettext("Variants"), with_variants=True)

    def _choose(self, request: HttpRequest, *, title: str, with_variants: bool) -> HttpResponse:
        data = request.POST if request.method == "POST" else request.GET
        chosen = load_selection(request, data.get("selection", ""))
        if chosen is None or not len(chosen):
            context = self.page_context(request, title=title)
            template = "admin/nb_catalog/run/nothing_chosen.html"
            return TemplateResponse(request, template, context)
        model = chosen.source.model
        if not may(request.user, Action.CHANGE_SERIES, model=model):
            raise PermissionDenied
        offered = visible_to(request.user).filter(
            content_type=content_type_of(model), is_active=True
        )
        if request.method == "POST":
            key = request.POST.get("series", "")
            series = offered.filter(pk=key).first() if INTEGER_KEY.fullmatch(key) else None
            if series is None:
                raise Http404
            products = chosen.products().iterator()
            if with_variants:
                keys = request.POST.getlist("variant") if len(chosen) == 1 else None
                self._add_variants(request, series, products, keys=keys)
            else:
                self._add(request, series, products)
            return redirect(self.url_of("sheet", series.pk))
        first = list(chosen.products(limit=6).iterator())
        one = subject_of(first[0]) if with_variants and len(chosen) == 1 and first else None
        context = self.page_context(
            request,
            title=title,
            with_variants=with_variants,
            is_one=one is not None,
            **(_variants_context(one) if one is not None else {}),
            chosen=chosen,
            chosen_model=model._meta,
            first_chosen=[info_for_product(each, site=self.admin_site) for each in first],
            further_chosen=max(0, len(chosen) - len(first)),
            offered=list(offered),
            may_add=may(request.user, Action.CREATE_SERIES),
        )
        return TemplateResponse(request, "admin/nb_catalog/series/choose.html", context)

    def _add(self, request: HttpRequest, series: Series, products: Any) -> None:
        try:
            added = catalog_series.add(series, products)
        except NBCatalogError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        message = ngettext("%d product added.", "%d products added.", added.added) % added.added
        if added.present:
            more = ngettext(
                "%d was in the series already.", "%d were in the series already.", added.present
            )
            message = f"{message} {more % added.present}"
        self.message_user(request, message, messages.SUCCESS if added.added else messages.INFO)
        for warning in added.warnings:
            self.message_user(request, warning, messages.WARNING)

    def _add_variants(
        self, request: HttpRequest, series: Series, products: Any, *, keys: list[str] | None
    ) -> None:
        try:
            added = catalog_series.add_variants(series, products, keys=keys)
        except NBCatalogError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        level = messages.SUCCESS if added.added else messages.INFO
        self.message_user(request, added_message(added), level)
        for warning in added.warnings:
            self.message_user(request, warning, messages.WARNING)


def _variants_context(product: Model) -> dict[str, Any]:
    """Return the variants of ``product`` with the URLs of their photos, "" without one, or what is wrong with
    them."""
    variants = []
    try:
        for variant in variants_of(product).values():
            try:
                photo = photo_of_variant(variant)
            except PictureMissing:
                photo = None
            variants.append((variant, "" if photo is None else storefront.photo_url(photo)))
    except NBCatalogError as problem:
        return {"variants_problem": str(problem)}
    return {"variants": variants}
