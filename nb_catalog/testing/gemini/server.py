"""A local HTTP server that speaks Gemini's wire format, follows a script and injects faults.

    with GeminiServer() as server:
        server.script(error(429, "RESOURCE_EXHAUSTED", retry_delay="2s"), fault("drop_after"))
        settings: {"BACKEND": "...GeminiProvider", "OPTIONS": {"base_url": server.url, ...}}
        assert server.request_log.billed_usd == ...

Without a script, every request gets a picture of the requested size, in a colour derived from its
prompt. The server refuses what Google is known to refuse.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection
from typing import Any

from aiohttp import web

from nb_catalog.testing.gemini.answers import Answer
from nb_catalog.testing.gemini.batches import Batches
from nb_catalog.testing.gemini.drawing import Drawer, PictureRequest
from nb_catalog.testing.gemini.faults import ANYWHERE, Rate
from nb_catalog.testing.gemini.request_log import RequestLog
from nb_catalog.testing.gemini.requests import Received, validate_operation
from nb_catalog.testing.gemini.service import Service
from nb_catalog.testing.gemini.validation import Rules
from nb_catalog.testing.local_server import LocalServer


class GeminiServer(LocalServer):
    """Listens while its ``with`` block runs, in a separate thread; ``port`` 0 is a free one.

    ``delay`` is the duration of a picture in seconds, ``batch_seconds`` that of a batch. ``keys`` and
    ``tokens`` are the valid API keys and bearer tokens (None: any). ``faults`` injects random faults.
    ``picture`` replaces the plain pictures: a file, or a function that returns one for a
    ``PictureRequest``; ``mime_type`` is the type of plain ones, and of those that a function returns.
    ``picture_bytes`` pads each file to about that size, and with ``unique`` no two files are the same.
    ``keep_bodies`` False saves memory in large runs. ``text_models`` are ids of additional models, whose
    responses need scripts.

    Two rules that Google does not have can be switched on: ``require_store_false`` refuses requests that
    let Google keep them, ``refuse_sampling`` those with temperature, top_p, top_k or seed.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        delay: float = 0.0,
        keys: Collection[str] | None = None,
        tokens: Collection[str] | None = None,
        faults: Rate | None = None,
        batch_seconds: float = 0.0,
        picture: bytes | Callable[[PictureRequest], bytes] = b"",
        picture_bytes: int = 0,
        mime_type: str = "image/png",
        unique: bool = False,
        keep_bodies: bool = True,
        require_store_false: bool = False,
        refuse_sampling: bool = False,
        text_models: Collection[str] = (),
    ) -> None:
        super().__init__(host=host, port=port)
        self._service = Service(
            drawer=Drawer(
                picture=picture, at_least=picture_bytes, mime_type=mime_type, unique=unique
            ),
            delay=delay,
            keys=keys,
            tokens=tokens,
            faults=faults,
            batch_seconds=batch_seconds,
            keep_bodies=keep_bodies,
            rules=Rules(require_store_false=require_store_false, refuse_sampling=refuse_sampling),
            text_models=text_models,
            scripts=defaultdict(deque),
            root=lambda: self.root,
        )

    @property
    def url(self) -> str:
        """The ``base_url`` for a provider."""
        return self.root

    @property
    def request_log(self) -> RequestLog:
        """Every request received, and its cost."""
        return self._service.request_log

    @property
    def batches(self) -> Batches:
        return self._service.batches

    @property
    def received(self) -> list[Received]:
        """The generateContent requests received."""
        return self._service.received

    @property
    def count(self) -> int:
        """The number of generateContent requests received."""
        return len(self.received)

    def picture_for(self, received: Received) -> bytes:
        """Return the picture that a request without a fault got: always the same bytes, unless the
        server is ``unique``."""
        return self._service.drawer.picture(PictureRequest(received.body, model=""))

    @property
    def delay(self) -> float:
        return self._service.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._service.delay = seconds

    @property
    def in_flight(self) -> int:
        return self._service.in_flight

    @property
    def most_in_flight(self) -> int:
        return self._service.most_in_flight

    def script(self, *answers: Answer) -> None:
        """Respond to the next generateContent requests with ``answers``, in this order."""
        self.script_for("generateContent", *answers)

    def script_for(self, operation: str, *answers: Answer) -> None:
        """Do the same for another operation, such as "batches.create" or "files.download".

        Raises ``ValueError`` for an unknown operation, and for a fault that only pictures can have.
        """
        validate_operation(operation)
        for answer in answers:
            if operation != "generateContent" and answer.name and answer.name not in ANYWHERE:
                raise ValueError(f"{answer.name!r} is possible for generateContent only.")
        self._service.scripts[operation].extend(answers)

    def pass_time(self, *, hours: float) -> None:
        """Move the server's clock forward: batches and files age, and batches that become due are
        processed."""
        self.run(self._service.pass_time(hours))

    def route(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._service.handle)

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._service.close()
