"""Small pictures for the admin's pages: a rendition where there is one, else made once and cached."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.core.cache import cache
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from nb_catalog import __version__, storage
from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.core.types import Size
from nb_catalog.exceptions import PictureError, StorageFailed
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.renditions import derive
from nb_catalog.imaging.scenery import SceneRecipe, thumbnail
from nb_catalog.models import ProductImage, Rendition, Scene, TextLayout
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.previews import layout_preview

SMALL: Final = 320
LARGE: Final = 960
WIDTHS: Final = (SMALL, LARGE)
SCENE: Final = Size(320, 240)
FORMAT: Final = "webp"
MIME_TYPE: Final = "image/webp"
WEEK: Final = 7 * 24 * 3600
# Addresses carry a digest of what they show, so that a browser never has to ask again.
FOR_EVER: Final = "private, max-age=31536000, immutable"
# A recipe that is being typed: somebody may come back to it.
A_WHILE: Final = "private, max-age=600"

# For lists: only what a thumbnail could be, in the order of their widths. Under a name of their
# own, because a service must not take them for all the renditions that there are.
RENDITIONS: Final = Prefetch(
    "renditions",
    Rendition.objects.filter(format__in=("webp", "jpeg")).order_by("width", "-format"),
    to_attr="thumbnail_renditions",
)


def thumbnail_url(image: ProductImage, *, site: AdminSite, width: int = SMALL) -> str:
    """Where a browser finds ``image`` at about ``width`` pixels. Fetch ``RENDITIONS`` before."""
    enough = [each for each in image.thumbnail_renditions if each.width >= width]
    if enough and enough[0].width <= 2 * width:
        return enough[0].url
    name = f"{site.name}:nb_catalog_productimage_preview"
    return reverse(name, args=[image.pk, image.sha256[:16], width])


def original_url(image: ProductImage, *, site: AdminSite) -> str:
    name = f"{site.name}:nb_catalog_productimage_original"
    return reverse(name, args=[image.pk, image.sha256[:16]])


def scene_url(scene: Scene, *, site: AdminSite) -> str:
    """Where a browser finds the thumbnail of ``scene``; empty for a scene without a recipe."""
    if not scene.renderer:
        return ""
    name = f"{site.name}:nb_catalog_scene_thumbnail"
    return reverse(name, args=[scene.pk, digest(scene.renderer)])


def serve_thumbnail(request: HttpRequest, image: ProductImage, *, width: int) -> HttpResponse:
    """``image`` at ``width`` pixels with the mark of its origin. 404 when it cannot be read."""
    if width not in WIDTHS:
        raise Http404
    key = f"nb_catalog:preview:{image.sha256}:{width}"
    return _answer(request, key=key, make=lambda: _derived(image, width=width))


def original(request: HttpRequest, image: ProductImage) -> HttpResponse:
    """The picture as it is stored, byte by byte. 404 when it cannot be read."""
    try:
        response = HttpResponse(storage.read(image.file.name), content_type=image.mime_type)
    except (PictureError, StorageFailed) as error:
        raise Http404(str(error)) from error
    return _kept(response, FOR_EVER)


def scene_picture(
    request: HttpRequest, renderer: Mapping[str, Any], *, keep: str = FOR_EVER
) -> HttpResponse:
    """The scene of a recipe, for a browser to ``keep``. Raises ``ValueError`` whose text names
    what is wrong with it."""
    recipe = SceneRecipe.from_mapping(renderer)
    key = f"nb_catalog:scene:{digest(renderer)}"
    return _answer(request, key=key, make=lambda: _rendered(recipe), keep=keep)


def layout_url(row: TextLayout, *, site: AdminSite) -> str:
    """Where a browser finds the sample of ``row``."""
    name = f"{site.name}:nb_catalog_textlayout_thumbnail"
    return reverse(name, args=[row.pk, digest(row.content)])


def layout_picture(
    request: HttpRequest, content: Mapping[str, Any], *, locale: str, keep: str = FOR_EVER
) -> HttpResponse:
    """A layout on a sample picture, with sample words of ``locale``. Raises ``ValueError`` for a
    layout or a locale that is wrong, ``NBCatalogError`` for words that do not go into it."""
    layout, language = Layout.from_mapping(content), str(locales.parse_locale(locale))
    key = f"nb_catalog:layout:{language}:{digest(content)}"
    return _answer(request, key=key, make=lambda: _lettered(layout, locale), keep=keep)


def _lettered(layout: Layout, locale: str) -> bytes:
    texts = locales.sample_texts(locale)
    for role in layout.roles:
        texts.setdefault(role, texts["subline"])
    made = layout_preview(layout, texts=texts, locale=locale, chain=fonts.chain_for(locale))
    return encode(made, format=FORMAT)


def _derived(image: ProductImage, *, width: int) -> bytes:
    try:
        made = derive(
            storage.read(image.file.name),
            widths=[width],
            formats=[FORMAT],
            xmp=xmp_packet(DigitalSourceType(image.digital_source_type)),
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
        return next(made).data
    except (PictureError, StorageFailed) as error:
        raise Http404(str(error)) from error


def _rendered(recipe: SceneRecipe) -> bytes:
    return encode(thumbnail(recipe, size=SCENE), format=FORMAT)


def _answer(
    request: HttpRequest, *, key: str, make: Callable[[], bytes], keep: str = FOR_EVER
) -> HttpResponse:
    etag = quote_etag(key.rpartition("nb_catalog:")[2])
    known = get_conditional_response(request, etag=etag)
    if known is not None:
        return known
    response = HttpResponse(cache.get_or_set(key, make, WEEK), content_type=MIME_TYPE)
    response["ETag"] = etag
    return _kept(response, keep)


def _kept(response: HttpResponse, how_long: str) -> HttpResponse:
    response["Cache-Control"] = how_long
    response["X-Content-Type-Options"] = "nosniff"
    return response


def digest(renderer: Mapping[str, Any]) -> str:
    """What tells one recipe's picture from another's in an address."""
    # Another release may render the same recipe differently.
    text = json.dumps([__version__, renderer], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]
