"""Published pictures for a shop's pages.

Nothing here calls a provider, writes or accesses a storage; a page of any length needs one query
per model. These are plain functions, for views and for any template language. A ``Picture``
renders itself where templates escape: ``{% catalog_picture %}`` and Jinja2's
``{{ picture_for(...) }}`` both do.
"""

from nb_catalog.storefront.api import (
    alt_for,
    picture_for,
    pictures_for,
    prefetch_catalog_images,
    structured_data_for,
)
from nb_catalog.storefront.moments import at, parse_moment
from nb_catalog.storefront.photos import photo_url
from nb_catalog.storefront.picture import Picture, StructuredData
from nb_catalog.storefront.picture_data import PictureData, picture_data
from nb_catalog.storefront.prefetch import active_locale, fallbacks
from nb_catalog.storefront.series import SeriesEntry, SeriesPage, series_for

__all__ = [
    "Picture",
    "PictureData",
    "SeriesEntry",
    "SeriesPage",
    "StructuredData",
    "active_locale",
    "alt_for",
    "at",
    "fallbacks",
    "parse_moment",
    "photo_url",
    "picture_data",
    "picture_for",
    "pictures_for",
    "prefetch_catalog_images",
    "series_for",
    "structured_data_for",
]
