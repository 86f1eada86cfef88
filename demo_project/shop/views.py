"""The shop's pages. Pictures of a whole list are fetched with one query."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language

from demo_project.shop.models import Bundle, Category, Product
from nb_catalog.models import Placement, ProductImage
from nb_catalog.storefront import picture_for, pictures_for, prefetch_catalog_images

FEATURED = "reading-lamp"


def home(request: HttpRequest) -> HttpResponse:
    products = prefetch_catalog_images(
        Product.objects.select_related("category").order_by("position"), slots=("hero", "social")
    )
    context = {
        "products": products,
        "featured": next((each for each in products if each.slug == FEATURED), None),
        "bundles": prefetch_catalog_images(Bundle.objects.all(), slots=("hero",)),
    }
    return render(request, "shop/home.html", context)


def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category, slug=slug)
    products = prefetch_catalog_images(found.products.all(), slots=("hero",))
    return render(request, "shop/category.html", {"category": found, "products": products})


def product(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    others = found.category.products.exclude(pk=found.pk)[:4]
    shown = prefetch_catalog_images([found, *others], slots=("hero", "gallery", "social"))
    card = (
        picture_for(found, "social")
        if pictures_for(found, "social")
        else picture_for(found, "hero")
    )
    context = {
        "card": request.build_absolute_uri(card.url(width=1280)) if card else "",
        "product": found,
        "gallery": [picture.position for picture in pictures_for(found, "gallery")],
        "others": shown[1:],
        "bundles": found.bundles.all(),
    }
    return render(request, "shop/product.html", context)


def bundle(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Bundle, slug=slug)
    prefetch_catalog_images([found], slots=("hero",))
    products = prefetch_catalog_images(found.products.all(), slots=("hero",))
    return render(request, "shop/bundle.html", {"bundle": found, "products": products})


def behind(request: HttpRequest) -> HttpResponse:
    """How this demo is put together, with the doors to its other rooms."""
    context = {
        "made": ProductImage.objects.count(),
        "published": Placement.objects.count(),
        "language": get_language(),
    }
    return render(request, "shop/behind.html", context)
