"""Sends responses, whole or with a transport fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from nb_catalog.testing.gemini.answers import Answer, Fault
from nb_catalog.testing.local_server import close_connection

if TYPE_CHECKING:
    from nb_catalog.testing.gemini.requests import CallResult

JSON: Final = "application/json; charset=UTF-8"
DRIP_SECONDS: Final = 0.02


async def send(
    request: web.Request, answer: Answer, result: CallResult, body: bytes | None
) -> web.StreamResponse:
    """Send ``body``, or ``result.stream`` if it is None, with the fault of ``answer``."""
    if answer.fault is Fault.DROP:
        return close_connection(request)
    status = answer.status if answer.body is not None else result.status
    headers = {"Content-Type": JSON, **result.headers, **answer.headers}
    if body is None:
        return await _send_stream(request, answer, result, headers=headers)
    if answer.fault is Fault.NONE:
        return web.Response(status=status, body=body, headers=headers)
    response = web.StreamResponse(
        status=status, headers={**headers, "Content-Length": str(len(body))}
    )
    await response.prepare(request)
    try:
        if answer.fault is Fault.CUT:
            await response.write(body[: len(body) // 2])
            return close_connection(request, response)
        for index in range(len(body)):
            await response.write(body[index : index + 1])
            await asyncio.sleep(DRIP_SECONDS)
    except ConnectionError:
        pass  # the client has given up, which is the purpose of dripping
    return response


async def _send_stream(
    request: web.Request, answer: Answer, result: CallResult, *, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "Content-Type": "application/jsonl"})
    await response.prepare(request)
    try:
        previous, count = b"", 0
        async for line in result.stream():
            await response.write(previous)
            previous, count = line, count + 1
            if answer.fault is Fault.CUT and count == 2:
                break
        if answer.fault is Fault.CUT:
            await response.write(previous[: len(previous) // 2])
            return close_connection(request, response)
        await response.write(previous)
    except ConnectionError:
        pass  # the client has disconnected
    return response


def reported_usage(body: bytes | None) -> Mapping[str, Any] | None:
    """Return the usage that ``body`` reports; None if it reports none."""
    try:
        content = json.loads(body or b"null")
    except ValueError:
        return None
    usage = content.get("usageMetadata") if isinstance(content, dict) else None
    return usage if isinstance(usage, dict) else None
