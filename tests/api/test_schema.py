"""The OpenAPI schema of a host's whole project, by drf-spectacular and by DRF itself."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from drf_spectacular.views import SpectacularAPIView


class SchemaView(SpectacularAPIView):
    """Not a part of the schema: it was described when DRF's own schemas were the default."""

    schema = None


urlpatterns = [
    path("", include("tests.urls")),
    path("schema/", SchemaView.as_view()),
]

ADDRESSES = {
    "plans/", "plans/preview/", "plans/photos/", "plans/texts/", "plans/renewal/", "runs/",
    "runs/photos/", "runs/{id}/resume/", "runs/{id}/progress/", "runs/{id}/events/", "images/events/",
    "jobs/{id}/", "images/{id}/set-text/", "images/{id}/history/",
    "placements/roll-back/", "models/{label}/",
    "cutouts/", "cutouts/{id}/mask/", "cutouts/{id}/solve/", "cutouts/{id}/mask.png", "cutouts/request/",
    "cutouts/cut-again/", "cutouts/{id}/preview.webp", "scenes/{key}/", "decks/{key}/texts/", "layouts/",
}  # fmt: skip


@pytest.fixture
def spectacular(settings):
    settings.REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}


@pytest.mark.urls(__name__)
@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/vnd.oai.openapi", "application/json"])
def test_drf_spectacular_describes_the_whole_project(client, spectacular, kind):
    answer = client.get("/schema/", headers={"accept": kind})
    assert answer.status_code == 200
    assert b"/api/catalog-images/runs/{id}/resume/" in answer.content


def test_the_schema_is_valid_and_has_no_errors(spectacular):
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS._error_cache
    validate_schema(schema)
    assert {f"/api/catalog-images/{address}" for address in ADDRESSES} <= set(schema["paths"])


def test_the_schema_of_one_user_is_generated_too(spectacular, rf, admin_user):
    request = rf.get("/")
    request.user, request.auth = admin_user, None
    with GENERATOR_STATS.silence():
        assert SchemaGenerator().get_schema(request=request, public=False)["paths"]


def test_the_command_of_drf_works():
    written = StringIO()
    call_command("generateschema", stdout=written)
    for address in ADDRESSES:
        assert f"/api/catalog-images/{address}" in written.getvalue(), address
