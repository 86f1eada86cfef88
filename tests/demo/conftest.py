"""The demo shop's own settings, as far as its pages need them."""

from copy import deepcopy
from pathlib import Path

import pytest

import demo_project


@pytest.fixture
def shop_site(settings):
    """The shop's addresses, templates and languages in place of the test project's."""
    settings.ROOT_URLCONF = "demo_project.urls"
    settings.LOCALE_PATHS = [Path(demo_project.__file__).parent / "locale"]
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["context_processors"].append("demo_project.shop.context.shop")
    settings.TEMPLATES = templates
    return settings
