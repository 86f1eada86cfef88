"""The anchor of a series goes to a model after the product's photo, and the prompt says so, on every way."""

from base64 import b64encode
from hashlib import sha256

import pytest

from nb_catalog import generation, storage, worker
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.generation import runs
from nb_catalog.models import Series
from nb_catalog.testing.gemini import GeminiServer
from nb_catalog.testing.openai_images import OpenAIImagesServer
from nb_catalog.worker.batches import schedule
from tests import factories
from tests.factories import OUR_RULES

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "gemini-nano-banana-2.1"
SIZE = (1024, 1024)


def digest(data):
    return sha256(b64encode(data)).hexdigest()


class Requests:
    """The local Gemini. What it draws for is what it was sent."""

    backend = "nb_catalog.providers.gemini.GeminiProvider"

    def __init__(self):
        self.seen = []
        self.server = GeminiServer(**OUR_RULES, picture=self.draw)

    def draw(self, request):
        self.seen.append((request.prompt, request.reference_digests))
        return factories.photo_bytes(SIZE)

    def received(self):
        return self.seen


class GatewayRequests:
    """The local gateway, which is sent files."""

    backend = "nb_catalog.providers.openai_images.OpenAIImagesProvider"

    def __init__(self):
        self.server = OpenAIImagesServer(key="k")

    def received(self):
        return [
            (each.fields["prompt"], tuple(map(digest, each.images)))
            for each in self.server.received
        ]


@pytest.fixture
def service(request, settings, monkeypatch):
    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(schedule, "GRACE", 0.0)
    service = request.param()
    with service.server as server:
        options = {"api_key": "k", "base_url": server.url}
        paid = {"BACKEND": service.backend, "OPTIONS": options}
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "PROVIDERS": {**settings.NB_CATALOG.get("PROVIDERS", {}), "paid": paid},
            "TIERS": {"standard": {"PROVIDER": "paid", "MODEL": MODEL, "SIZE": "1K"}},
        }
        yield service


@pytest.mark.parametrize("treatment", ["painted", "locked"])
@pytest.mark.parametrize(
    ("service", "mode"),
    [(Requests, "direct"), (Requests, "batch"), (GatewayRequests, "direct")],
    indirect=["service"],
    ids=["direct", "batch", "gateway"],
)
def test_the_anchor_follows_the_product_and_the_prompt_says_which_is_which(
    service, mode, treatment
):
    colours = ["#205020", "#802020"]
    photos = [factories.photo_bytes((300, 400), colour=colour) for colour in colours]
    members = [factories.product(photo=photo) for photo in photos]
    series = factories.series(*members, tier="standard", treatment=treatment)
    look = factories.photo_bytes(SIZE, colour=(90, 30, 30))
    image = factories.image(state=ImageState.APPROVED, size=SIZE, data=look)
    catalog_series.save_look(catalog_series.with_anchor(series, image))
    series = Series.objects.get()
    run = runs.start_run(generation.plan_series(series, mode=mode))
    for _turn in range(12):
        worker.drain()
        if not worker.work_is_waiting():
            break
    assert {(job.state, job.error) for job in run.jobs.all()} == {("succeeded", "")}
    anchor = digest(storage.read(series.anchor.file.name))
    received = service.received()
    if treatment == "locked":
        # The model paints the empty place; it sees no product but the anchor's.
        assert [pictures for _prompt, pictures in received] == [(anchor,)] * 2
        words = "The first image shows the look that this picture must have"
    else:
        expected = {(digest(photo), anchor) for photo in photos}
        assert {pictures for _prompt, pictures in received} == expected
        words = "The first image is the product. The second image shows the look"
    assert all(words in prompt for prompt, _pictures in received)
