"""An answer on its way out, whole or as a fault has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from nb_catalog.testing.gemini.answers import Answer, Fault
from nb_catalog.testing.serving import hung_up

if TYPE_CHECKING:
    from nb_catalog.testing.gemini.asked import Done

JSON: Final = "application/json; charset=UTF-8"
DRIP_SECONDS: Final = 0.02


async def send(
    request: web.Request, answer: Answer, done: Done, body: bytes | None
) -> web.StreamResponse:
    """Send ``body``, or ``done.stream`` where it is None, and spoil it as ``answer`` says."""
    if answer.fault is Fault.DROP:
        return hung_up(request)
    status = answer.status if answer.body is not None else done.status
    headers = {"Content-Type": JSON, **done.headers, **answer.headers}
    if body is None:
        return await _streamed(request, answer, done, headers=headers)
    if answer.fault is Fault.NONE:
        return web.Response(status=status, body=body, headers=headers)
    response = web.StreamResponse(
        status=status, headers={**headers, "Content-Length": str(len(body))}
    )
    await response.prepare(request)
    try:
        if answer.fault is Fault.CUT:
            await response.write(body[: len(body) // 2])
            return hung_up(request, response)
        for place in range(len(body)):
            await response.write(body[place : place + 1])
            await asyncio.sleep(DRIP_SECONDS)
    except ConnectionError:
        pass  # the client has given up: that is what dripping is for
    return response


async def _streamed(
    request: web.Request, answer: Answer, done: Done, *, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "Content-Type": "application/jsonl"})
    await response.prepare(request)
    try:
        before, lines = b"", 0
        async for line in done.stream():
            await response.write(before)
            before, lines = line, lines + 1
            if answer.fault is Fault.CUT and lines == 2:
                break
        if answer.fault is Fault.CUT:
            await response.write(before[: len(before) // 2])
            return hung_up(request, response)
        await response.write(before)
    except ConnectionError:
        pass  # the client went away
    return response


def usage_in(body: bytes | None) -> Mapping[str, Any] | None:
    """The usage that ``body`` tells its reader; None where it tells none."""
    try:
        said = json.loads(body or b"null")
    except ValueError:
        return None
    usage = said.get("usageMetadata") if isinstance(said, dict) else None
    return usage if isinstance(usage, dict) else None
