"""Template tags: thin wrappers of the functions of ``nb_catalog.storefront``.

What they return renders itself, escaped; with ``as`` the template gets the value instead.
"""

from django import template
from django.db.models import Model

from nb_catalog import storefront

register = template.Library()


@register.simple_tag
def catalog_picture(product, slot="", *, locale=None, position=0, alt=None, **options):
    """``{% catalog_picture product "hero" sizes="(min-width: 60em) 50vw, 100vw" %}``

    Options: ``sizes``, ``class_``, ``loading``, ``decoding``, ``fetchpriority``, ``alt``,
    ``locale``, ``position``. If nothing is published, the product's own photo is shown, or nothing.
    Instead of product and slot, the tag takes a picture from ``catalog_pictures``.
    """
    if isinstance(product, storefront.Picture):
        return product.with_attributes(alt=alt, **options)
    if not _is_row(product):
        return ""
    picture = storefront.picture_for(
        product, slot, locale=locale, position=position, alt=alt, **options
    )
    return picture or ""


@register.simple_tag
def catalog_pictures(product, slot, *, locale=None):
    """``{% catalog_pictures product "gallery" as pictures %}``: the list of published pictures."""
    return storefront.pictures_for(product, slot, locale=locale) if _is_row(product) else []


@register.simple_tag
def catalog_image_url(product, slot, *, width=None, locale=None, position=0):
    """``{% catalog_image_url product "hero" width=640 %}``: a JPEG at least that wide, if any."""
    if not _is_row(product):
        return ""
    picture = storefront.picture_for(product, slot, locale=locale, position=position)
    return picture.url(width=width) if picture else ""


@register.simple_tag(takes_context=True)
def catalog_jsonld(context, product, slot, *, locale=None, position=0):
    """``{% catalog_jsonld product "hero" %}``: schema.org's ImageObject of a published picture.

    Addresses are absolute if the template's context has the request.
    """
    if not _is_row(product):
        return ""
    request = context.get("request")
    data = storefront.structured_data_for(
        product,
        slot,
        locale=locale,
        position=position,
        base_url=f"{request.scheme}://{request.get_host()}" if request else "",
    )
    return data or ""


@register.simple_tag
def catalog_prefetch(products, *slots, locale=None):
    """``{% catalog_prefetch products "hero" as products %}``: one query for the whole page."""
    return storefront.prefetch_catalog_images(products or (), slots=slots or None, locale=locale)


@register.simple_tag
def catalog_series(key, *, locale=None, limit=None, product=None):
    """``{% catalog_series "autumn" as lookbook %}``: the published pictures of a series, in its order.

    Each entry has a ``product`` and a ``picture``, and that of a variant its key and its name: ``variant``
    and ``variant_name``. With ``product``, only the pictures of that product and its variants. Without
    ``as``, the pictures alone are rendered.
    """
    if product is not None and not _is_row(product):
        return storefront.SeriesPage()
    return storefront.series_for(str(key), locale=locale, limit=limit, product=product)


def _is_row(product):
    """A misspelt variable is an empty string in templates: the page shows nothing there."""
    return isinstance(product, Model)
