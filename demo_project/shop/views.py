"""The shop's pages. The pictures of a whole list are fetched with one query."""

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
    current = get_object_or_404(Category, slug=slug)
    products = prefetch_catalog_images(current.products.all(), slots=("hero",))
    return render(request, "shop/category.html", {"category": current, "products": products})


def product(request: HttpRequest, slug: str) -> HttpResponse:
    current = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    others = current.category.products.exclude(pk=current.pk)[:4]
    products = prefetch_catalog_images([current, *others], slots=("hero", "gallery", "social"))
    card = picture_for(current, "social" if pictures_for(current, "social") else "hero")
    context = {
        "card": request.build_absolute_uri(card.url(width=1280)) if card else "",
        "product": current,
        "gallery": [picture.position for picture in pictures_for(current, "gallery")],
        "others": products[1:],
        "bundles": current.bundles.all(),
    }
    return render(request, "shop/product.html", context)


def bundle(request: HttpRequest, slug: str) -> HttpResponse:
    current = get_object_or_404(Bundle, slug=slug)
    prefetch_catalog_images([current], slots=("hero",))
    products = prefetch_catalog_images(current.products.all(), slots=("hero",))
    photos = current.photos.all()
    context = {"bundle": current, "products": products, "photos": photos}
    return render(request, "shop/bundle.html", context)


def lookbook(request: HttpRequest) -> HttpResponse:
    """Show the two series; the template asks for their pictures."""
    return render(request, "shop/lookbook.html")


def behind(request: HttpRequest) -> HttpResponse:
    """Describe the demo, with links to the shop, the admin and the API."""
    context = {
        "made": ProductImage.objects.count(),
        "published": Placement.objects.count(),
        "language": get_language(),
    }
    return render(request, "shop/behind.html", context)
