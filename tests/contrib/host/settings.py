"""A project with Oscar and Wagtail, as their documentation sets them up."""

import oscar
from oscar.defaults import *  # noqa: F403 - Oscar's own way

from nb_catalog.contrib.oscar.navigation import NAVIGATION
from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as OURS
from tests.settings import MIDDLEWARE, NB_CATALOG

INSTALLED_APPS = [
    *oscar.INSTALLED_APPS,
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "nb_catalog.contrib.oscar",
    "nb_catalog.contrib.wagtail",
    "tests.contrib.host.site",
]
INSTALLED_APPS += [each for each in OURS if each not in INSTALLED_APPS and "demo" not in each]
MIDDLEWARE = [*MIDDLEWARE, "oscar.apps.basket.middleware.BasketMiddleware"]
ROOT_URLCONF = "tests.contrib.host.urls"
SITE_ID = 1
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
INSTALLED_APPS += ["easy_thumbnails"]
OSCAR_THUMBNAILER = "oscar.core.thumbnails.EasyThumbnails"
THUMBNAIL_DEBUG = True
# Wagtail writes its index of references by a task.
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
WAGTAIL_SITE_NAME = "Shop"
WAGTAILADMIN_BASE_URL = "http://shop.example"
WAGTAIL_I18N_ENABLED = False
NB_CATALOG = {**NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]}
OSCAR_DASHBOARD_NAVIGATION = [*OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]  # noqa: F405
