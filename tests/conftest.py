"""What every test starts with."""

import shutil

import pytest
from django.conf import settings as django_settings


@pytest.fixture(autouse=True)
def _staging_is_empty():
    """What one test left staged must not be adopted by the next."""
    yield
    shutil.rmtree(django_settings.NB_CATALOG["STAGING_DIR"], ignore_errors=True)
