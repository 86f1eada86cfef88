"""Providers that answer nonsense, or whose code breaks: the job says so, the others are made."""

import pytest

from nb_catalog.conf import settings as nb_settings
from nb_catalog.generation import runs
from nb_catalog.models import ProductImage, ProviderCall
from nb_catalog.worker import spool
from tests import factories
from tests.bad_input.conftest import LOCAL, job_of, settle
from tests.bad_input.test_photos import bomb
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

PNG = factories.photo_bytes((64, 64))
GARBAGE = {
    "no picture under a picture's name": (b"\x89PNG\r\n\x1a\n" + b"garbage" * 9, "PNG"),
    "cut off": (PNG[:-20], "cut off"),
}


@pytest.fixture
def breaking(settings, script):
    """breaking("UnsendableProvider"): the paid provider is this one, with the script."""

    def breaking(name):
        entry = {**script.as_setting(), "BACKEND": f"tests.bad_input.plugs.{name}"}
        settings.NB_CATALOG = {**settings.NB_CATALOG, "PROVIDERS": {"paid": entry}}

    return breaking


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_once_is_paid_for_and_tried_again(name, script, start):
    script.add(GARBAGE[name][0])
    first, second = factories.product(), factories.product()
    start(first, second, treatment="painted")
    settle()
    assert (job_of(first).state, job_of(second).state) == ("succeeded", "succeeded")
    assert script.count == ProviderCall.objects.count() == 3
    assert ProductImage.objects.count() == 2, "garbage is never stored"
    assert money_is_sound() == 3 * 33_910


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_each_time_ends_and_says_what_is_wrong(name, script, start):
    script.add(*[GARBAGE[name][0]] * 10)
    product = factories.product()
    start(product, treatment="painted")
    settle()
    job = job_of(product)
    assert (job.state, job.error_code) == ("failed", "no_picture")
    assert "returned bytes that are not a sound picture" in job.error
    assert GARBAGE[name][1] in job.error
    assert script.count == nb_settings.MAX_ATTEMPTS
    assert not ProductImage.objects.exists() and not list(spool.names())
    money_is_sound()


def test_a_huge_picture_is_not_paid_for_twice(script, start):
    script.add(bomb())
    product = factories.product()
    start(product, treatment="painted")
    settle()
    job = job_of(product)
    assert (job.state, job.error_code, script.count) == ("failed", "answer_too_large", 1)
    assert "40,000 x 40,000" in job.error
    assert not ProductImage.objects.exists()
    money_is_sound()


def test_a_picture_is_what_its_bytes_are_whatever_the_provider_calls_it(breaking, script, start):
    breaking("MislabellingProvider")
    script.add(PNG)
    start(factories.product(), treatment="painted")
    settle()
    image = ProductImage.objects.get()
    assert (image.mime_type, image.file.name[-4:]) == ("image/png", ".png")
    assert (image.width, image.height) == (64, 64), "as decoded, not as asked for"


def test_words_where_a_picture_was_asked_for_are_an_unknown_outcome(script, start):
    script.add(b"<html>The gateway says hello.</html>")
    first, second = factories.product(), factories.product()
    start(first, second, treatment="painted")
    settle()
    states = sorted([job_of(first).state, job_of(second).state])
    assert states == ["succeeded", "unknown"]
    assert script.count == 2, "what may be charged is not sent again"


@pytest.mark.parametrize(
    ("name", "error"), [("UnsendableProvider", "KeyError"), ("UnreadableProvider", "TypeError")]
)
def test_a_provider_that_breaks_after_sending_leaves_an_unknown_outcome(
    name, error, breaking, script, start
):
    breaking(name)
    product = factories.product()
    run = start(product, treatment="painted")
    settle()
    job = job_of(product)
    assert (job.state, job.error_code) == ("unknown", "outcome_unknown")
    assert error in job.error and "may have been charged" in job.error
    assert runs.retry_run(run) == 0 and script.count == 1
    money_is_sound()


def test_a_provider_that_breaks_before_sending_costs_nothing(breaking, script, start):
    breaking("MisbuiltProvider")
    product = factories.product()
    start(product, treatment="painted")
    settle()
    job = job_of(product)
    assert (job.state, script.count) == ("failed", 0)
    assert "AttributeError" in job.error and "charged" not in job.error
    assert not ProviderCall.objects.exists()


def test_a_cut_out_that_breaks_ends_free_work_with_a_sentence(settings, local, start):
    broken = {"BACKEND": "tests.bad_input.plugs.BrokenCutout"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": LOCAL, "CUTOUT": broken}
    product = factories.product()
    start(product)
    settle()
    job = job_of(product)
    assert job.state == "failed" and "IndexError" in job.error
    assert "charged" not in job.error, "nothing of ours costs anything"
