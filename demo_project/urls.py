"""URLs of the demo: the shop in each language, the admin and the API."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/catalog-images/", include("nb_catalog.api.urls")),
    *i18n_patterns(path("", include("demo_project.shop.urls"))),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
