"""Every fault by name: what the client gets, what is billed, and what is logged."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nb_catalog.exceptions import ProviderError
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.types import ImageRequest, ImageResult
from nb_catalog.testing.gemini import FAULTS, GeminiServer, fault

MODEL = "gemini-nano-banana-2.1"
ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "thought_images", "only_thought_images", "blocked_picture", "other_look", "wrong_ratio", "wrong_mime",
    "corrupt_picture", "another_model_version",
}  # fmt: skip


@pytest.fixture
def server():
    with GeminiServer() as running:
        yield running


def outcome(server):
    maker = GeminiProvider(alias="g", api_key="k", base_url=server.url, timeout=1.0)

    async def one():
        try:
            request = ImageRequest(model=MODEL, prompt="A mug.", ratio="4:5", size="1K")
            return maker.parse(await maker.send(maker.build(request)))
        except ProviderError as error:
            return error
        finally:
            await maker.close()

    return asyncio.run(one())


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_what_its_row_says(server, name):
    kind = FAULTS[name]
    server.script(fault(name))
    met = outcome(server)
    (entry,) = server.request_log.entries
    assert entry.fault == name
    assert entry.worked == kind.billed
    assert entry.reports_usage == kind.reports_usage
    assert (entry.billed_usd > 0) == kind.billed
    assert isinstance(met, ImageResult) == (name in GOOD)
    if kind.reports_usage:
        assert met.usage, "the client knows what it pays for"
    elif not isinstance(met, ImageResult):
        assert not met.usage


def test_a_thought_is_never_taken_for_the_picture(server):
    server.script(fault("thought_images"))
    assert Image.open(io.BytesIO(outcome(server).data)).size == (928, 1152)


def test_the_page_lists_every_fault_and_what_it_costs():
    page = (ROOT / "docs/testing.md").read_text()
    listed = dict(re.findall(r"^\| `(\w+)` \| .*? \| (.*?) \|$", page, re.MULTILINE))
    costs = {True: "yes", False: "no"}
    assert listed == {
        name: "yes, usage not reported"
        if kind.billed and not kind.reports_usage
        else costs[kind.billed]
        for name, kind in FAULTS.items()
    }


def test_the_command_serves_until_it_is_told_to_stop(tmp_path):
    log = tmp_path / "requests.jsonl"
    command = [
        sys.executable,
        "manage.py",
        "nb_fake_gemini",
        "--request-log",
        str(log),
        "-v",
        "2",
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )  # fmt: skip
    try:
        url = re.search(r"http://\S+\d", process.stdout.readline())[0]

        class Elsewhere:
            pass

        there = Elsewhere()
        there.url = url
        assert isinstance(outcome(there), ImageResult)
    finally:
        process.send_signal(signal.SIGTERM)
        out, _err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "1 requests" in out and "generateContent" in out
    assert "A mug." not in out + log.read_text()
    assert log.read_text().count("\n") == 1


def test_a_picture_is_padded_to_the_asked_size():
    with GeminiServer(picture_bytes=250_000) as server:
        data = outcome(server).data
    assert 240_000 < len(data) < 260_000
    Image.open(io.BytesIO(data)).load()
