"""The suite's addresses and a page of a shop."""

from django.http import HttpResponse
from django.template import engines
from django.urls import path

from tests.catalog.models import Mug
from tests.urls import urlpatterns as suite

PAGE = """{% load nb_catalog %}<!doctype html><title>{{ mug }}</title>
<h1>{{ mug }}</h1>{% catalog_picture mug "hero" %}"""


def product_page(request, pk):
    template = engines["django"].from_string(PAGE)
    return HttpResponse(template.render({"mug": Mug.objects.get(pk=pk)}, request))


def favicon(request):
    return HttpResponse(status=204)


urlpatterns = [*suite, path("shop/<int:pk>/", product_page), path("favicon.ico", favicon)]
