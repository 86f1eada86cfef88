"""Spans: a job with its call and keeping below it, and nothing private in any of them."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from nb_catalog import worker
from nb_catalog.core import tracing
from nb_catalog.exceptions import ContentRefused
from nb_catalog.models import ImageJob
from tests.worker.conftest import script, start  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter.get_finished_spans
    provider.shutdown()


def named(spans, name):
    return [each for each in spans() if each.name == f"nb_catalog.{name}"]


def test_a_job_has_its_call_and_its_keeping_below_it(script, start, spans):  # noqa: F811
    start(1)
    worker.drain()
    (job,) = named(spans, "job")
    (call,), (keep,) = named(spans, "call"), named(spans, "keep")
    assert call.parent.span_id == keep.parent.span_id == job.context.span_id
    assert job.attributes["nb_catalog.job"] == ImageJob.objects.get().pk
    assert job.attributes["nb_catalog.move"] == "succeed"
    assert call.attributes["nb_catalog.model"] == "gemini-3.1-flash-lite-image"
    assert sum(each.attributes["nb_catalog.ended"] for each in named(spans, "commit")) == 1


def test_an_error_is_its_code_and_never_what_it_says(script, start, spans):  # noqa: F811
    script.add(ContentRefused("A very private mug."))
    start(1)
    worker.drain()
    (job,) = named(spans, "job")
    assert job.attributes["nb_catalog.error_code"] == "content_refused"
    assert job.status.status_code == trace.StatusCode.ERROR
    words = ImageJob.objects.get().wanted.prompt
    shown = "".join(each.to_json() for each in spans())
    assert "private" not in shown and words[:40] not in shown


def test_without_opentelemetry_work_goes_on(script, start, monkeypatch):  # noqa: F811
    monkeypatch.setattr(tracing, "trace", None)
    start(1)
    worker.drain()
    assert ImageJob.objects.get().state == "succeeded"
