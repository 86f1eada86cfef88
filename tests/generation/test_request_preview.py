"""What is shown before anything goes out is what goes out."""

import json

import pytest

from nb_catalog import generation, worker
from nb_catalog.generation import runs
from nb_catalog.generation.request_preview import elide
from nb_catalog.models import Scene
from nb_catalog.testing.gemini import GeminiServer
from tests import factories
from tests.catalog.models import Mug
from tests.factories import OUR_RULES

MODEL = "gemini-nano-banana-2.1"


@pytest.fixture
def server(settings):
    with GeminiServer(**OUR_RULES) as running:
        options = {
            "api_key": "k",
            "base_url": running.url,
            "safety_settings": {"HARASSMENT": "BLOCK_ONLY_HIGH"},
        }
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "PROVIDERS": {
                "gemini": {
                    "BACKEND": "nb_catalog.providers.gemini.GeminiProvider",
                    "OPTIONS": options,
                }
            },
            "TIERS": {
                "draft": {
                    "PROVIDER": "gemini",
                    "MODEL": MODEL,
                    "SIZE": "1K",
                    "THINKING": "high",
                }
            },
        }
        yield running


def planned(**options):
    scene = factories.scene(system="You are a patient photographer.")
    Scene.objects.filter(pk=scene.pk).update(system="You are a patient photographer.")
    return generation.plan_backgrounds(
        Mug.objects.all(), scenes=[Scene.objects.get(pk=scene.pk)], **options
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("treatment", ["painted", "locked"])
def test_the_preview_is_what_arrives(server, treatment):
    factories.product(name="Blue mug")
    plan = planned(treatment=treatment)
    (shown,) = generation.preview_requests(plan)
    assert server.request_log.entries == (), "looking sends nothing"
    runs.start_run(plan)
    worker.drain()
    (received,) = server.received
    assert elide(received.body) == shown.body
    config = received.body["generationConfig"]
    assert config["thinkingConfig"] == {"thinking_level": "HIGH"}, "a tier's own level"
    assert received.body["systemInstruction"]["parts"][0]["text"] == shown.system
    assert received.body["contents"][0]["parts"][0]["text"] == shown.prompt
    assert received.body["safetySettings"]
    assert json.dumps(shown.body)


@pytest.mark.django_db
def test_a_provider_that_renders_sends_nothing_and_shows_its_recipe():
    factories.product()
    (shown,) = generation.preview_requests(planned())
    assert shown.prompt == ""
    assert shown.body["renderer"]
    assert shown.body["photo"].endswith("bytes)")


@pytest.mark.django_db
def test_products_without_a_photo_are_passed_over():
    factories.product(photo=False)
    assert generation.preview_requests(planned()) == []
    factories.product(name="The one")
    assert generation.preview_requests(planned())[0].object_id == str(
        Mug.objects.get(name="The one").pk
    )


@pytest.mark.django_db
def test_a_photo_that_cannot_be_read_says_why(server):
    mug = factories.product()
    mug.packshot.storage.delete(mug.packshot.name)
    (shown,) = generation.preview_requests(planned(treatment="painted"))
    assert "is not in its storage" in shown.problem
    assert shown.prompt and not shown.body


@pytest.mark.django_db
def test_the_admin_shows_it_without_javascript(server, client):
    mug = factories.product(name="Blue mug")
    factories.scene()
    client.force_login(factories.superuser())
    asked = {"model": "testcatalog.mug", "key": str(mug.pk), "scenes": ["marble"], "variants": "1",
             "ratio": "1:1", "tier": "draft", "treatment": "painted", "nonce": "n", "sent": "1"}  # fmt: skip
    page = client.post("/admin/nb_catalog/run/generate/", asked).content.decode()
    assert "Blue mug" in page and "imageConfig" in page
    assert "bytes in base64" in page
    fragment = client.post("/admin/nb_catalog/run/generate/sent/", asked).content.decode()
    assert "<html" not in fragment and "thinking_level" in fragment
    assert "<strong>Marble</strong>" in fragment


@pytest.mark.django_db
def test_the_admin_shows_it_to_those_who_may_spend(client):
    client.force_login(factories.staff())
    assert client.post("/admin/nb_catalog/run/generate/sent/", {}).status_code == 403


@pytest.mark.django_db
def test_the_api_shows_it(server, client):
    mug = factories.product(name="Blue mug")
    factories.scene()
    body = {
        "model": "testcatalog.mug",
        "objects": [mug.pk],
        "scenes": ["marble"],
        "treatment": "painted",
    }
    url = "/api/catalog-images/plans/preview/"
    client.force_login(factories.staff())
    assert client.post(url, body, content_type="application/json").status_code == 403
    client.force_login(factories.staff("nb_catalog.generate", "testcatalog.view_mug"))
    (shown,) = client.post(url, body, content_type="application/json").json()
    assert "Blue mug" in shown["prompt"]
    assert shown["body"]["generationConfig"]["imageConfig"]["aspectRatio"] == "1:1"
    assert shown["photo_sent"]["mime_type"] == "image/png"


@pytest.mark.django_db
def test_the_api_shows_what_the_local_renderer_gets(client):
    mug = factories.product()
    factories.scene()
    body = {"model": "testcatalog.mug", "objects": [mug.pk], "scenes": ["marble"]}
    client.force_login(factories.superuser())
    answer = client.post(
        "/api/catalog-images/plans/preview/", body, content_type="application/json"
    )
    [shown] = answer.json()
    assert (shown["provider"], shown["body"]["framing"]["fill"]) == ("local", 1.0)


@pytest.mark.django_db
def test_a_scenes_page_shows_how_a_model_is_told(client):
    scene = factories.scene(prompt="A quiet marble top.")
    client.force_login(factories.superuser())
    page = client.get(f"/admin/nb_catalog/scene/{scene.pk}/change/").content.decode()
    assert page.count("A quiet marble top.") >= 3
    assert "Keep everything about the product exactly" in page
    assert "The set is empty" in page
