"""``path("dashboard/", include("nb_catalog.contrib.oscar.urls"))``, before Oscar's own."""

from django.urls import path

from nb_catalog.contrib.oscar.site import site

urlpatterns = [path("catalog-pictures/", site.urls)]
