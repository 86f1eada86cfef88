"""What every test starts with."""

import shutil
import ssl
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management.color import no_style
from django.db import connections
from django.test import TransactionTestCase
from django.utils import translation

from nb_catalog.typesetting.printed_words import WordChange
from tests.cutouts.fixtures import cutout_backend, drawn_mask
from tests.settings import SCRATCH, SHARED

__all__ = ["cutout_backend", "drawn_mask"]

# Written by ``migrate`` and the same for every test. Django would empty them too and then write them
# again, which takes nine tenths of the time of a flush.
KEPT_TABLES = {"django_content_type", "auth_permission"}
HERE = Path(__file__).parent
# What is in here knows no Django and no database, so it is the same on each of them: marked ``once``. Those
# below use the ORM as their stories do, which run on each of them.
ONCE = (
    "core", "imaging", "providers", "testing", "typesetting", "demo/test_demo_photos.py",
    "ratelimit/test_gcra.py", "test_english.py", "test_floors.py", "test_translations.py",
)  # fmt: skip
TOLD_BY_STORIES = (
    "bad_input",
    "batches",
    "demo",
    "escalation",
    "series",
    "text_providers",
    "worker",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    cases = Counter()
    # Sorted: another plug-in may have put them in a random order, and each case belongs to one of the suites.
    for item in sorted(items, key=lambda item: item.nodeid):
        if exhaustive := item.get_closest_marker("exhaustive"):
            name = item.nodeid.partition("[")[0]
            if cases[name] % exhaustive.kwargs["every"]:
                item.add_marker(pytest.mark.matrix)
            cases[name] += 1
    for item in items:
        has_story = item.get_closest_marker("story") is not None
        if is_once(item.path, has_story=has_story):
            item.add_marker(pytest.mark.once)


class LongFirst:
    """Begins every process's share of the tests with those that take longest: at the end, one process
    would work on such a test and the others on nothing."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        count = getattr(config, "workerinput", {}).get("workercount", 1)
        long = [item for item in items if item.get_closest_marker("long")]
        others = [item for item in items if not item.get_closest_marker("long")]
        # Each process gets a part in one piece, and later takes over what is left of others'.
        items[:] = [
            item
            for number in range(count)
            for item in (*long[number::count], *share(others, number, of=count))
        ]


def share(items, number, *, of):
    """The part with this ``number`` of as many parts of the same size."""
    return items[len(items) * number // of : len(items) * (number + 1) // of]


def pytest_configure(config):
    config.pluginmanager.register(LongFirst())


@cache
def is_once(path, *, has_story):
    directories = ONCE if has_story else (*ONCE, *TOLD_BY_STORIES)
    return any(map(path.relative_to(HERE).is_relative_to, directories))


def pytest_unconfigure():
    """pytest-xdist ends its processes in a way that leaves out what ``atexit`` has."""
    if not SHARED:
        shutil.rmtree(SCRATCH, ignore_errors=True)


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


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once():
    """Every connection to a local server would read all of the machine's certificates again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(autouse=True)
def _print_is_read_where_a_test_is_about_it(request, monkeypatch):
    """To read what is printed on a painted product takes a second a picture."""
    if not any(map(request.node.get_closest_marker, ("reads_print", "story"))):
        unchanged = WordChange(gone=(), added=())
        monkeypatch.setattr("nb_catalog.worker.fidelity.compare_words", lambda *views: unchanged)


@pytest.fixture(autouse=True)
def _language_is_the_site_s():
    """A request of the test client leaves its language active in this process."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _staging_is_empty():
    """What one test left staged must not be adopted by the next."""
    yield
    shutil.rmtree(django_settings.NB_CATALOG["STAGING_DIR"], ignore_errors=True)
