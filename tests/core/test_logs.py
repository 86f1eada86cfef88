"""Logs as programs read them: docs/operations.md's own configuration, lines of JSON, nothing private."""

from __future__ import annotations

import json
import logging
import logging.config
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from nb_catalog import ratelimit, worker
from nb_catalog.core.logs import fields
from nb_catalog.exceptions import ContentRefused, OutcomeUnknown
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob
from nb_catalog.models.db.clock import database_now
from tests.worker.conftest import script, start  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)

DOCS = Path(__file__).parents[2] / "docs/operations.md"


@pytest.fixture
def lines():
    """What is logged, line by line, with the configuration that the docs show."""
    (written,) = re.findall(r"```python\n(LOGGING = .*?)```", DOCS.read_text(), re.DOTALL)
    namespace = {}
    exec(written, namespace)  # noqa: S102 - it is what we tell people to write
    logger, out = logging.getLogger("nb_catalog"), StringIO()
    before = logger.level, logger.handlers[:], logger.propagate
    logging.config.dictConfig(namespace["LOGGING"])
    logger.handlers[0].setStream(out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logger.level, logger.handlers, logger.propagate = before


def ended(lines):
    return [line for line in lines() if "nb_catalog.move" in line]


def test_each_ending_is_a_line_with_its_facts(script, start, lines):  # noqa: F811
    run = start(1)
    worker.drain()
    (line,) = ended(lines)
    job = ImageJob.objects.get()
    assert line["message"] == f"Job {job.pk}: succeed." and line["levelname"] == "INFO"
    told = {name: value for name, value in line.items() if name.startswith("nb_catalog.")}
    assert told == {
        "nb_catalog.job": job.pk,
        "nb_catalog.run": run.pk,
        "nb_catalog.epoch": 1,
        "nb_catalog.provider": job.provider,
        "nb_catalog.model": job.model,
        "nb_catalog.move": "succeed",
        "nb_catalog.cost_microusd": job.calls.get().cost_microusd,
        "nb_catalog.request_id": "scripted",
    }


def test_a_call_that_may_have_been_charged_is_a_warning(script, start, lines):  # noqa: F811
    script.add(OutcomeUnknown("The line went dead."))
    start(1)
    worker.drain()
    (line,) = ended(lines)
    assert (line["levelname"], line["nb_catalog.error_code"]) == ("WARNING", "outcome_unknown")


def test_runs_and_pauses_are_told(script, start, lines):  # noqa: F811
    run = start(1)
    runs.cancel_run(run)
    runs.retry_run(run)
    until = database_now()
    ratelimit.pause("gemini", "m", until=until, reason="A reason with words.", cause="rate_limited")
    told = [(line["message"], line.get("nb_catalog.cause")) for line in lines()]
    for what in ("started", "cancelled", "retried"):
        assert (f"Run {run.pk}: {what}.", None) in told
    assert told[-1][1] == "rate_limited"
    sooner = until - timedelta(seconds=9)
    ratelimit.pause("gemini", "m", until=sooner, reason="Another.", cause="overloaded")
    assert len(lines()) == len(told), "the longer pause stands: nothing has changed"


def test_nothing_private_is_logged(script, start, lines):  # noqa: F811
    script.add(ContentRefused("A very private mug."))
    start(2)
    worker.drain()
    words = ImageJob.objects.first().wanted.prompt
    everything = json.dumps(lines())
    assert len(ended(lines)) == 2
    assert "private" not in everything and words[:40] not in everything


def test_fields_leave_out_what_is_empty():
    assert fields(job=1, error_code="", cost=None, free=0) == {
        "nb_catalog.job": 1,
        "nb_catalog.free": 0,
    }
