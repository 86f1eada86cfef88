"""Addresses of small pictures on admin pages, and the pages that send them."""

from __future__ import annotations

from typing import Final

from django.contrib.admin import AdminSite
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from nb_catalog import storage
from nb_catalog.cutouts.previews import Preview
from nb_catalog.exceptions import PictureError, StorageFailed
from nb_catalog.generation.drawings import WIDTHS, digest
from nb_catalog.models import ProductImage, Rendition, Scene, TextLayout

SMALL, LARGE = WIDTHS
# In the address of a scene's photo: it is shown small.
THUMBNAIL: Final = "thumbnail"
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


def serve(request: HttpRequest, preview: Preview, *, cache_control: str = FOREVER) -> HttpResponse:
    """Return ``preview``, or 304 to a browser that has it. Raises what reading it does."""
    etag = quote_etag(preview.digest)
    not_modified = get_conditional_response(request, etag=etag)
    if not_modified is not None:
        return not_modified
    response = HttpResponse(preview.read(), content_type=preview.mime_type)
    response["ETag"] = etag
    return _with_cache_headers(response, cache_control)


def serve_stored(request: HttpRequest, preview: Preview) -> HttpResponse:
    """Return ``preview`` of a stored file. 404 if it cannot be read."""
    try:
        return serve(request, preview)
    except (PictureError, StorageFailed) as error:
        raise Http404(str(error)) from error


def serve_original(request: HttpRequest, image: ProductImage) -> HttpResponse:
    """Return the stored file, byte for byte. 404 if it cannot be read."""
    try:
        response = HttpResponse(storage.read(image.file.name), content_type=image.mime_type)
    except (PictureError, StorageFailed) as error:
        raise Http404(str(error)) from error
    return _with_cache_headers(response, FOREVER)


def layout_url(row: TextLayout, *, site: AdminSite) -> str:
    """Return the URL of the sample picture of ``row``."""
    name = f"{site.name}:nb_catalog_textlayout_thumbnail"
    return reverse(name, args=[row.pk, digest(row.content)])


def _with_cache_headers(response: HttpResponse, cache_control: str) -> HttpResponse:
    response["Cache-Control"] = cache_control
    response["X-Content-Type-Options"] = "nosniff"
    return response
