"""Makes the schema of our endpoints alone, whatever the host's own settings of drf-spectacular are."""

from contextvars import ContextVar
from functools import cache

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, SpectacularSettings, spectacular_settings

from nb_catalog import __version__
from nb_catalog.api.openapi import webhooks
from nb_catalog.api.openapi.inspection import CatalogSchema

URLCONF = "nb_catalog.api.urls"
DESCRIPTION = """\
Product pictures for the catalog: plan what is wanted, start it, review what was made, publish it.

Money is text in US dollars. Unknown parameters and fields are refused, with the nearest name. Lists are read
by following `next`. `docs/api.md` of nb_catalog describes versions, conditional requests and limits.
"""
OWN_SETTINGS = {
    **{
        name: value
        for name, value in SPECTACULAR_DEFAULTS.items()
        if not name.startswith("SERVE_") and name != "DEFAULT_GENERATOR_CLASS"
    },
    "OAS_VERSION": "3.1.1",
    "TITLE": "nb_catalog",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": __version__,
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/",
    "POSTPROCESSING_HOOKS": [],
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
}
_own: ContextVar[bool] = ContextVar("nb_catalog_own_schema", default=False)


class _SettingsOfBoth(SpectacularSettings):
    """The host's settings, except while a schema of ours is made, and only for the thread that makes it.

    drf-spectacular's ``custom_settings`` would change those of other threads, too.
    """

    def __getattribute__(self, name):
        if name in OWN_SETTINGS and _own.get():
            return _resolved(name)
        return super().__getattribute__(name)


@cache
def _resolved(name):
    return getattr(
        SpectacularSettings(
            {name: OWN_SETTINGS[name]}, SPECTACULAR_DEFAULTS, spectacular_settings.import_strings
        ),
        name,
    )


class CatalogGenerator(SchemaGenerator):
    """The operations of the API's own addresses, as ``CatalogSchema`` describes them."""

    def __init__(self, **options):
        super().__init__(**{**options, "urlconf": URLCONF})

    def create_view(self, callback, method, request=None):
        view = super().create_view(callback, method, request)
        self._set_schema_to_view(view, CatalogSchema())
        return view

    def get_schema(self, request=None, public=False):
        spectacular_settings.__class__ = _SettingsOfBoth
        token = _own.set(True)
        try:
            with translation.override("en"):
                document = super().get_schema(request=None, public=True)
                section, components = webhooks.described()
        finally:
            _own.reset(token)
        for kind, added in components.items():
            document["components"][kind] = {**document["components"].get(kind, {}), **added}
        return {**document, "webhooks": section}


def generate(*, server):
    """Return the schema as a dictionary; ``server`` is the address of the API without a slash at its end."""
    return {**CatalogGenerator().get_schema(), "servers": [{"url": server}]}
