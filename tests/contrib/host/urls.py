from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    path("admin/", admin.site.urls),
    path("cms/", include(wagtailadmin_urls)),
    path("dashboard/", include("nb_catalog.contrib.oscar.urls")),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
