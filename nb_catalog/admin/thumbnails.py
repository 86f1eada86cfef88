"""Small pictures for admin pages: an existing rendition, otherwise generated once and cached."""

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
from nb_catalog.conf import picture_limits
from nb_catalog.core import locales
from nb_catalog.core.types import Size
from nb_catalog.exceptions import PictureError, StorageFailed, TextError
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
# In the address of a scene's photo: it is shown small.
THUMBNAIL: Final = "thumbnail"
FORMAT: Final = "webp"
MIME_TYPE: Final = "image/webp"
WEEK: Final = 7 * 24 * 3600
# URLs contain a digest of their content, so browsers may cache it forever.
FOREVER: Final = "private, max-age=31536000, immutable"
# Unsaved designs: the user may return to a previous version while editing.
SHORTLY: Final = "private, max-age=600"

# Only renditions usable as thumbnails, by width. They get an attribute of their own, because
# services must not mistake them for all renditions.
RENDITIONS: Final = Prefetch(
    "renditions",
    Rendition.objects.filter(format__in=("webp", "jpeg")).order_by("width", "-format"),
    to_attr="thumbnail_renditions",
)


def thumbnail_url(image: ProductImage, *, site: AdminSite, width: int = SMALL) -> str:
    """Return the URL of ``image`` at about ``width`` pixels. ``RENDITIONS`` must be prefetched."""
    large_enough = [each for each in image.thumbnail_renditions if each.width >= width]
    if large_enough and large_enough[0].width <= 2 * width:
        return large_enough[0].url
    name = f"{site.name}:nb_catalog_productimage_preview"
    return reverse(name, args=[image.pk, image.sha256[:16], width])


def original_url(image: ProductImage, *, site: AdminSite) -> str:
    name = f"{site.name}:nb_catalog_productimage_original"
    return reverse(name, args=[image.pk, image.sha256[:16]])


def scene_url(scene: Scene, *, site: AdminSite) -> str:
    """Return the URL of the thumbnail of ``scene``; empty if it has neither photo nor recipe."""
    if scene.backdrop_sha256:
        name = f"{site.name}:nb_catalog_scene_photo"
        return f"{reverse(name, args=[scene.pk, scene.backdrop_sha256[:16]])}?{THUMBNAIL}"
    if not scene.renderer:
        return ""
    name = f"{site.name}:nb_catalog_scene_thumbnail"
    return reverse(name, args=[scene.pk, digest(scene.renderer)])


def serve_thumbnail(request: HttpRequest, image: ProductImage, *, width: int) -> HttpResponse:
    """Return ``image`` at ``width`` pixels, with its provenance metadata. 404 if it cannot be read."""
    if width not in WIDTHS:
        raise Http404

    def render() -> bytes:
        try:
            renditions = derive(
                storage.read(image.file.name),
                widths=[width],
                formats=[FORMAT],
                xmp=xmp_packet(DigitalSourceType(image.digital_source_type)),
                **picture_limits(),
            )
            return next(renditions).data
        except (PictureError, StorageFailed) as error:
            raise Http404(str(error)) from error

    return _cached_response(request, f"preview:{image.sha256}:{width}", render)


def serve_original(request: HttpRequest, image: ProductImage) -> HttpResponse:
    """Return the stored file, byte for byte. 404 if it cannot be read."""
    try:
        response = HttpResponse(storage.read(image.file.name), content_type=image.mime_type)
    except (PictureError, StorageFailed) as error:
        raise Http404(str(error)) from error
    return _with_cache_headers(response, FOREVER)


def serve_scene(
    request: HttpRequest, renderer: Mapping[str, Any], *, cache_control: str = FOREVER
) -> HttpResponse:
    """Return the rendered scene of a recipe. Raises ``ValueError`` with the problem of a wrong recipe."""
    recipe = SceneRecipe.from_mapping(renderer)

    def render() -> bytes:
        return encode(thumbnail(recipe, size=SCENE), format=FORMAT)

    return _cached_response(request, f"scene:{digest(renderer)}", render, cache_control)


def layout_url(row: TextLayout, *, site: AdminSite) -> str:
    """Return the URL of the sample picture of ``row``."""
    name = f"{site.name}:nb_catalog_textlayout_thumbnail"
    return reverse(name, args=[row.pk, digest(row.content)])


def serve_layout(
    request: HttpRequest, content: Mapping[str, Any], *, locale: str, cache_control: str = FOREVER
) -> HttpResponse:
    """Return a layout on a sample picture, with sample texts of ``locale``.

    Raises ``ValueError`` for an invalid layout or locale, ``NBCatalogError`` for texts that do
    not fit.
    """
    layout, language = Layout.from_mapping(content), str(locales.parse_locale(locale))

    def render() -> bytes:
        texts = locales.sample_texts(locale)
        for role in layout.roles:
            texts.setdefault(role, texts["subline"])
        options = {"texts": texts, "locale": locale, "chain": fonts.chain_for(locale)}
        try:
            picture = layout_preview(layout, **options)
        except TextError:
            if not is_saved:
                raise
            # In a list, a layout that meets the sample product is better than a broken picture.
            picture = layout_preview(layout, keeps_clear=False, **options)
        return encode(picture, format=FORMAT)

    is_saved = cache_control == FOREVER
    key = f"layout:{language}:{digest(content)}:{is_saved}"
    return _cached_response(request, key, render, cache_control)


def _cached_response(
    request: HttpRequest, key: str, render: Callable[[], bytes], cache_control: str = FOREVER
) -> HttpResponse:
    etag = quote_etag(key)
    not_modified = get_conditional_response(request, etag=etag)
    if not_modified is not None:
        return not_modified
    content = cache.get_or_set(f"nb_catalog:{key}", render, WEEK)
    response = HttpResponse(content, content_type=MIME_TYPE)
    response["ETag"] = etag
    return _with_cache_headers(response, cache_control)


def _with_cache_headers(response: HttpResponse, cache_control: str) -> HttpResponse:
    response["Cache-Control"] = cache_control
    response["X-Content-Type-Options"] = "nosniff"
    return response


def digest(content: Mapping[str, Any]) -> str:
    """Return the part of a URL that changes with the picture of a recipe or layout."""
    # Another release may render the same content differently.
    text = json.dumps([__version__, content], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]
