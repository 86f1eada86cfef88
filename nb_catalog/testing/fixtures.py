"""Fixtures for pytest: ``from nb_catalog.testing.fixtures import gemini_server`` in a conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nb_catalog.testing.gemini import GeminiServer

__all__ = ["gemini_server"]


@pytest.fixture
def gemini_server() -> Iterator[GeminiServer]:
    """A local Gemini server for one test, on a free port."""
    with GeminiServer() as server:
        yield server
