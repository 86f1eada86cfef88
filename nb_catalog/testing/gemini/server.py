"""A local HTTP server that speaks Gemini's wire format, follows a script and injects faults.

    with GeminiServer() as server:
        server.script(error(429, "RESOURCE_EXHAUSTED", retry_delay="2s"), fault("drop_after"))
        settings: {"BACKEND": "...GeminiProvider", "OPTIONS": {"base_url": server.url, ...}}
        assert server.ledger.billed_usd == ...

Without a script every request is answered with a picture of the asked size, in a colour that
belongs to its prompt. What the service would refuse is refused, and so is what this project
promises never to send.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection
from typing import Any

from aiohttp import web

from nb_catalog.testing.gemini.answers import Answer
from nb_catalog.testing.gemini.asked import Received, known_operation
from nb_catalog.testing.gemini.batches import Batches
from nb_catalog.testing.gemini.drawing import Drawer, Wanted
from nb_catalog.testing.gemini.faults import ANYWHERE, Rate
from nb_catalog.testing.gemini.ledger import Ledger
from nb_catalog.testing.gemini.service import Service
from nb_catalog.testing.serving import LocalServer


class GeminiServer(LocalServer):
    """Listens while its ``with`` block runs, in a thread of its own, on a free port unless told.

    ``delay`` in seconds, ``batch_seconds`` how long a batch takes. ``keys`` and ``tokens`` are the API
    keys and bearer tokens that are right (None: any). ``faults`` spoils calls at random. ``picture``
    is answered in place of a plain colour, ``mime_type`` is what plain ones are,
    ``picture_bytes`` pads each one to about that size, and with ``unique`` no two are ever the
    same file. ``keep_bodies`` False saves memory in large runs. ``insists_on_store`` refuses requests
    that let Google keep them. ``text_models`` are ids of further models that are there; what they answer
    is up to scripts.
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
        picture: bytes = b"",
        picture_bytes: int = 0,
        mime_type: str = "image/png",
        unique: bool = False,
        keep_bodies: bool = True,
        insists_on_store: bool = True,
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
            insists_on_store=insists_on_store,
            text_models=text_models,
            scripts=defaultdict(deque),
            address=lambda: self.root,
        )

    @property
    def url(self) -> str:
        """The ``base_url`` to give to a provider."""
        return self.root

    @property
    def ledger(self) -> Ledger:
        """Every request that came in, and what it costs."""
        return self._service.ledger

    @property
    def batches(self) -> Batches:
        return self._service.batches

    @property
    def received(self) -> list[Received]:
        """The generateContent requests as they came in."""
        return self._service.received

    @property
    def count(self) -> int:
        """How many generateContent requests came in."""
        return len(self.received)

    def drawn_for(self, received: Received) -> bytes:
        """The picture that a request got when nothing went wrong: the same bytes each time, unless
        the server is ``unique``."""
        return self._service.drawer.picture(Wanted(received.body, model=""))

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
        """Answer the next generateContent requests with ``answers``, one after the other."""
        self.script_for("generateContent", *answers)

    def script_for(self, operation: str, *answers: Answer) -> None:
        """The same for another operation: "batches.create", "files.download", as in the ledger.

        Raises ``ValueError`` for an operation that there is not, and for a fault of pictures where
        none is answered.
        """
        known_operation(operation)
        for answer in answers:
            if operation != "generateContent" and answer.name and answer.name not in ANYWHERE:
                raise ValueError(f"{answer.name!r} happens to generateContent alone.")
        self._service.scripts[operation].extend(answers)

    def pass_time(self, *, hours: float) -> None:
        """Move the server's clock ahead: batches and files grow older by so much, and what is due
        by then is done."""
        self.do(self._service.pass_time(hours))

    def route(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._service.answer)

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._service.close()
