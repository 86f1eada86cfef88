"""What every test starts with."""

import shutil

import pytest
from django.conf import settings as django_settings
from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase

# Written by ``migrate`` and the same for every test. Django would empty them too and then write them
# again, which takes nine tenths of the time of a flush.
KEPT_TABLES = {"django_content_type", "auth_permission"}


def flush(case):
    """Empty all tables but ``KEPT_TABLES`` after a test that commits."""
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        tables = connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        statements = connection.ops.sql_flush(
            no_style(), sorted({*tables} - KEPT_TABLES), reset_sequences=False, allow_cascade=False
        )
        connection.ops.execute_sql_flush(statements)


@pytest.fixture(scope="session", autouse=True)
def _quick_flush():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush)
        yield


@pytest.fixture(autouse=True)
def _staging_is_empty():
    """What one test left staged must not be adopted by the next."""
    yield
    shutil.rmtree(django_settings.NB_CATALOG["STAGING_DIR"], ignore_errors=True)
