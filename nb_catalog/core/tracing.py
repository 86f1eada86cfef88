"""Spans for OpenTelemetry where its API is installed (extra ``otel``); else nothing, at no cost.

A job is a span, with its call and the keeping of its picture below it. Attributes are ids, names and
codes: never a prompt, a key or what an error says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from nb_catalog.exceptions import NBCatalogError

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]

NAME: Final = "nb_catalog"


@contextmanager
def span(name: str, **attributes: str | int | bool) -> Iterator[dict[str, Any]]:
    """A span ``nb_catalog.<name>``. What is put into the dict meanwhile becomes its attributes too;
    an error of ours becomes ``nb_catalog.error_code``."""
    more: dict[str, Any] = {}
    if trace is None:
        yield more
        return
    told = {f"{NAME}.{key}": value for key, value in attributes.items()}
    tracer = trace.get_tracer(NAME)
    with tracer.start_as_current_span(
        f"{NAME}.{name}", attributes=told, record_exception=False, set_status_on_exception=False
    ) as running:
        try:
            yield more
        except NBCatalogError as error:
            more["error_code"] = error.code
            raise
        except Exception as error:
            more["error_code"] = type(error).__name__
            raise
        finally:
            for key, value in more.items():
                running.set_attribute(f"{NAME}.{key}", value)
            if "error_code" in more:
                running.set_status(trace.StatusCode.ERROR)
