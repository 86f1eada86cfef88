"""OpenTelemetry spans if its API is installed (extra ``otel``); otherwise nothing, at no cost.

A job is a span, with child spans for its call and for storing its picture. Attributes are ids, names and
codes: never prompts, API keys or error messages.
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
    """Run the block in a span ``nb_catalog.<name>``. Entries added to the dict become attributes as
    well; an error is recorded as ``nb_catalog.error_code``."""
    more: dict[str, Any] = {}
    if trace is None:
        yield more
        return
    prefixed = {f"{NAME}.{key}": value for key, value in attributes.items()}
    tracer = trace.get_tracer(NAME)
    with tracer.start_as_current_span(
        f"{NAME}.{name}", attributes=prefixed, record_exception=False, set_status_on_exception=False
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
