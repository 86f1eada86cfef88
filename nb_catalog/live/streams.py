"""Streams of events, as responses to requests under ASGI."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)

from nb_catalog.live import feeds
from nb_catalog.live.feeds import Event, Feed

T = TypeVar("T")

# Proxies close connections that are silent for longer, often after a minute. Permissions are read again then.
PING_SECONDS: Final = 15.0
# A stream ends after about this long, and the client connects again: so a server can be replaced.
LIFETIME_SECONDS: Final = 300.0
# Each holds a connection of the server and a thread of Django's.
MOST_STREAMS: Final = 200
MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
TEXT: Final = "text/plain; charset=utf-8"
# One element for each time that all streams were ended.
_ended: Final[list[bool]] = []
RETRY: Final = b"retry: 1000\n\n"


def is_asgi(request: HttpRequest) -> bool:
    """Return whether ``request`` can be answered by a stream. Under WSGI, pages poll."""
    return isinstance(request, ASGIRequest)


def response(
    request: HttpRequest, feed: Feed[Any], *, is_allowed: Callable[[HttpRequest], bool]
) -> HttpResponseBase:
    """Return the events of ``feed`` that follow the request's ``Last-Event-ID``: as a stream, or as JSON for
    a client that asks for it, which can poll under WSGI.

    ``is_allowed`` gets the request as it would be authenticated now; when it returns False, the stream ends.
    406 for a stream under WSGI, 503 if this process serves too many already, and 204, at which browsers do
    not connect again, if there will be no further events.
    """
    after = request.headers.get("Last-Event-ID", "")
    accepted = request.headers.get("Accept", "")
    if "application/json" in accepted and MEDIA_TYPE not in accepted:
        return _as_json(request, feed, after=after)
    if not is_asgi(request):
        message = (
            "A stream needs an ASGI server. With “Accept: application/json”, poll the same events."
        )
        return HttpResponse(message, status=406, content_type=TEXT, headers=HEADERS)
    if feeds.open_streams() >= MOST_STREAMS:
        return HttpResponse(status=503, headers={**HEADERS, "Retry-After": "30"})
    if after:
        state = feed.read(None)
        if feed.is_over(state) and not feed.events(state, after=after):
            return HttpResponse(status=204, headers=HEADERS)

    def goes_on() -> bool:
        return is_allowed(authenticated_again(request))

    stream = _stream(feed, after=after, goes_on=goes_on)
    # Django's GZipMiddleware would make each event a gzip file of its own, and browsers read only the first.
    headers = {**HEADERS, "Content-Encoding": "identity"}
    return StreamingHttpResponse(stream, content_type=MEDIA_TYPE, headers=headers)


def _as_json(request: HttpRequest, feed: Feed[Any], *, after: str) -> HttpResponse:
    state = feed.read(None)
    events = [
        {"event": each.name, "id": each.id, "data": each.data}
        for each in feed.events(state, after=after)
    ]
    data = {
        "events": events,
        "last_id": feed.position(state),
        "over": feed.is_over(state),
        "streams": is_asgi(request),
    }
    return JsonResponse(data, headers=HEADERS)


def end_streams() -> None:
    """End all streams of this process within a second. Call it when the server begins to shut down, which
    otherwise waits for them; their clients connect again."""
    _ended.append(True)


async def _stream(
    feed: Feed[T], *, after: str, goes_on: Callable[[], bool]
) -> AsyncIterator[bytes]:
    # The thread of the request has a connection, which would stay open as long as the stream.
    await sync_to_async(connections.close_all)()
    clock = asyncio.get_running_loop().time
    started = pinged = clock()
    lifetime = LIFETIME_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - spreads reconnections
    source, seen, ended = feeds.join(feed), None, len(_ended)
    try:
        yield RETRY
        while clock() - started < lifetime and len(_ended) == ended:
            state = await source.current()
            if state is not seen:
                seen, position = state, after
                for event in await feeds.in_thread(lambda: feed.events(seen, after=position)):  # noqa: B023
                    yield event.encode()
                # Also without events: a position may advance alone, once rows are settled.
                after = feed.position(state)
            if feed.is_over(state):
                yield Event(name="end", id=feed.position(state), data={}).encode()
                return
            if clock() - pinged >= PING_SECONDS:
                if not await feeds.in_thread(goes_on):
                    return
                pinged = clock()
                yield Event(name="ping", id=after, data={}).encode()
            await asyncio.sleep(feeds.POLL_SECONDS)
    finally:
        feeds.leave(source)


def authenticated_again(request: HttpRequest) -> HttpRequest:
    """Return ``request`` with its user as of now: anonymous if the session has ended, the password was
    changed or the account was deleted."""
    fresh = copy.copy(request)
    user = getattr(request, "user", None)
    session = getattr(request, "session", None)
    if session is not None and auth.SESSION_KEY in session:
        fresh.session = type(session)(session.session_key)
        fresh.user = auth.get_user(fresh)
    elif user is not None and user.is_authenticated:
        # Another way of authentication than Django's sessions.
        known = type(user)._default_manager.filter(pk=user.pk).first()
        fresh.user = known or AnonymousUser()
    return fresh
