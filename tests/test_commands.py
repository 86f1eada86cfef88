"""``nb_worker`` and ``nb_sweep``, from the inside and as processes."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from nb_catalog import generation
from nb_catalog.core.states import JobState
from nb_catalog.exceptions import ContentRefused, RateLimited
from nb_catalog.generation import runs
from nb_catalog.management.commands import nb_worker
from nb_catalog.models import ImageJob, ProductImage, Scene
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.settings import ROOT, SCRATCH

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a prompt that belongs on no terminal"
PAID = {"draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}}


@pytest.fixture
def script(settings):
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": PAID,
    }
    return script


def _start(pictures, *, treatment="painted"):
    factories.scene(prompt=SECRET)
    mugs = [factories.product(name=SECRET) for _n in range(pictures)]
    return runs.start_run(generation.plan_backgrounds(mugs, scenes=["marble"], treatment=treatment))


def _call(name, *args, **options):
    told = StringIO()
    call_command(name, *args, stdout=told, **options)
    return told.getvalue()


def test_working_once_makes_what_is_queued_and_sums_it_up(script):
    _start(3)
    assert _call("nb_worker", "--once") == "3 pictures generated, 0 remaining.\n"
    assert ImageJob.objects.filter(state=JobState.SUCCEEDED).count() == 3


def test_nothing_queued_is_nothing_made(script):
    assert _call("nb_worker", "--once") == "0 pictures generated, 0 remaining.\n"


def test_every_ending_is_a_line_when_asked_for(script):
    _start(2)
    script.add(ContentRefused(f"No: {SECRET}"))
    told = _call("nb_worker", "--once", verbosity=2)
    job = ImageJob.objects.get(state=JobState.REFUSED)
    model = PAID["draft"]["MODEL"]
    assert f"Job {job.pk}: refused by the provider (draft, {model}) [content_refused]\n" in told
    assert f": made (draft, {model})\n" in told
    assert "1 picture generated, 1 refused by the provider, 0 remaining.\n" in told


def test_no_prompt_is_told(script):
    _start(2)
    script.add(ContentRefused(f"No: {SECRET}"))
    assert SECRET not in _call("nb_worker", "--once", verbosity=3)


def test_silence_is_kept_when_asked_for(script):
    _start(1)
    assert _call("nb_worker", "--once", verbosity=0) == ""
    assert ProductImage.objects.count() == 1


def test_what_waits_for_another_try_is_told(script):
    _start(1)
    script.add(RateLimited("Slow down.", retry_after=900))
    told = _call("nb_worker", "--once")
    assert "1 waiting to try again" in told
    assert "1 remaining" in told


def test_a_slice_of_time_is_kept(script):
    started = timezone.now()
    _call("nb_worker", "--seconds", "0.2")
    assert timezone.now() - started < timedelta(minutes=2), "it does not run for ever"


def test_calls_in_flight_are_bounded(script):
    script.seconds = 0.05
    _start(6)
    _call("nb_worker", "--once", "--concurrency", "1")
    assert script.most_in_flight == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("--concurrency", "0"),
        ("--concurrency", "many"),
        ("--free-threads", "-1"),
        ("--seconds", "0"),
        ("--seconds", "inf"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(CommandError):
        _call("nb_worker", *wrong)


def test_a_terminal_shows_how_far_it_is(script, monkeypatch):
    terminal = StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(nb_worker.sys, "stderr", terminal)
    _start(2)
    _call("nb_worker", "--once")
    assert "2/2" in terminal.getvalue()
    assert "made=2" in terminal.getvalue()


def test_a_file_gets_no_bar(script, monkeypatch):
    not_a_terminal = StringIO()
    monkeypatch.setattr(nb_worker.sys, "stderr", not_a_terminal)
    _start(1)
    _call("nb_worker", "--once")
    assert not_a_terminal.getvalue() == ""


def test_signals_are_given_back(script):
    before = [signal.getsignal(number) for number in nb_worker.SIGNALS]
    _call("nb_worker", "--once")
    assert [signal.getsignal(number) for number in nb_worker.SIGNALS] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_finishes_what_it_has(number):
    _start(12, treatment="locked")
    # What a plain worker needs is in its environment, as on a server.
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "NB_TEST_SCRATCH": str(SCRATCH),
        "NB_TEST_NAME": str(connection.settings_dict["NAME"]),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "django", "nb_worker", "--free-threads", "1", "-v", "2"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        first = process.stdout.readline()
        process.send_signal(number)
        told, wrong = process.communicate(timeout=60)
    finally:
        process.kill()
    assert ": made" in first, wrong
    assert process.returncode == 0, wrong
    assert SECRET not in first + told + wrong
    states = list(ImageJob.objects.values_list("state", flat=True))
    made = states.count(JobState.SUCCEEDED)
    assert 1 <= made < 12
    assert states.count(JobState.QUEUED) == 12 - made
    assert ProductImage.objects.count() == made
    assert told.splitlines()[-1].endswith(f"{12 - made} remaining.")


def test_a_sweep_says_what_it_did(script):
    past = timezone.now() - timedelta(minutes=5)
    dead = {"lease_owner": "dead", "lease_until": past}
    factories.job(state=JobState.LEASED, **dead)
    lost = factories.job(state=JobState.CALLING, is_free=False, **dead)
    factories.job(state=JobState.WAITING, not_before=past)
    told = _call("nb_sweep")
    assert "Jobs released from dead workers: 1\n" in told
    assert "Waiting jobs queued again: 1\n" in told
    assert "Jobs marked as unknown outcome: 1\n" in told
    assert "Pictures recovered from disk: 0\n" in told
    lost.refresh_from_db()
    assert lost.state == JobState.UNKNOWN
    assert _call("nb_sweep", verbosity=0) == ""


def test_a_second_sweep_finds_nothing(script):
    assert {line[-2:] for line in _call("nb_sweep").splitlines()} == {" 0"}
    assert not Scene.objects.exists()


def test_the_table_of_models_has_prices_batches_tiers_and_ends(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    told = _call("nb_models")
    (lite,) = [line for line in told.splitlines() if line.startswith("gemini-3.1-flash-lite-image")]
    assert "1K 0.0361" in lite and "half" in lite and "minimal high" in lite
    assert "local-studio" in told and "draft standard premium" in told
    assert "gemini-3.1-flash-image is replaced by gemini-nano-banana-2.1." in told
    assert "Google's price list, as of 2026-11-21" in told


def test_the_table_fits_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line) for line in _call("nb_models").splitlines()[:40]) <= 80


def test_what_the_host_changes_is_marked(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "MODEL_SPECS": {"gemini-3-pro-image": {"price_source": "us"}},
    }
    assert "gemini-3-pro-image*" in _call("nb_models")


def test_one_model_in_full_and_everything_for_programs():
    import json

    assert 'id: "gemini-3-pro-image"' in _call("nb_models", "--model", "gemini-3-pro-image")
    shown = {each["id"]: each for each in json.loads(_call("nb_models", "--json"))}
    assert shown["gemini-nano-banana-2.1"]["estimate_usd"]["4K"] == "0.1263"
    assert shown["local-studio"]["tiers"] == ["draft", "standard", "premium"]


def test_a_misspelt_model_says_the_nearest():
    with pytest.raises(CommandError, match="Did you mean 'gemini-3-pro-image'"):
        _call("nb_models", "--model", "gemini-3-pro-imag")


def test_asking_finds_models_that_are_gone(settings):
    from nb_catalog.testing.gemini import GeminiServer

    with GeminiServer() as server:
        options = {"api_key": "k", "base_url": server.url}
        gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
        tier = {"PROVIDER": "gemini", "SIZE": "1K"}
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "PROVIDERS": {"gemini": gemini},
            "TIERS": {"draft": {**tier, "MODEL": "gemini-nano-banana-2.1"}},
        }
        assert "gemini gemini-nano-banana-2.1: reachable" in _call("nb_models", "--ask")
        settings.NB_CATALOG["TIERS"]["old"] = {**tier, "MODEL": "gemini-2.5-flash-image"}
        with pytest.raises(CommandError, match="not reachable"):
            _call("nb_models", "--ask")
        assert not server.request_log.calls()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--kinds", "no_such"], "no_such"), (["--fault-rate", "3"], "between 0 and 1")],
)
def test_a_local_gemini_that_cannot_be_says_why(words, said):
    with pytest.raises(CommandError, match=said):
        _call("nb_fake_gemini", *words)


def test_the_faults_are_listed():
    assert "drop_after" in _call("nb_fake_gemini", "--list-faults")
