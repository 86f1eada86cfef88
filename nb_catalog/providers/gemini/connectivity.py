"""Whether a model answers to its name: asked without making a picture, and free of charge."""

from __future__ import annotations

from typing import Final

from nb_catalog.exceptions import ProviderError
from nb_catalog.providers.gemini.connection import GeminiConnection

SECONDS: Final = 20.0


async def reachable(connection: GeminiConnection, model: str) -> str:
    """Empty when the service knows ``model``, else a sentence that says what it answered."""
    try:
        await connection.talk(lambda line: line.client.aio.models.get(model=model), seconds=SECONDS)
    except ProviderError as error:
        return str(error)
    return ""
