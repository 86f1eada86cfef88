"""Who we are to Google: an API key of the developer API, or a project on Vertex AI."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.gemini.client import Address

ENVIRONMENT: Final = "GEMINI_API_KEY"
# Where google.auth.default() looks, as far as that can be told without a network.
DEFAULT_CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
GCLOUD: Final = Path.home() / ".config/gcloud/application_default_credentials.json"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Account:
    """``path`` is where the options stand in the settings; errors quote it.

    ``credentials`` is the path of a service account's JSON file, a ``google.auth`` object, or None
    for what the machine itself has.
    """

    def __init__(
        self,
        *,
        path: str,
        api_key: str | None,
        base_url: str | None,
        connections: int,
        vertex: bool,
        project: str | None,
        location: str | None,
        credentials: Any,
    ) -> None:
        self.path = path
        if not isinstance(vertex, bool):
            raise self.wrong("vertex", "True or False", vertex)
        if not is_number(connections, int) or connections < 0:
            raise self.wrong("connections", "a whole number, 0 for no limit", connections)
        self._api_key = self._text("api_key", api_key)
        self.base_url = self._text("base_url", base_url)
        self.connections = connections
        self.vertex = vertex
        self.project = self._text("project", project)
        self.location = self._text("location", location)
        self.credentials = credentials
        if vertex and self._api_key:
            raise InvalidSettings(
                "Vertex AI takes credentials, not a key.", path=f"{path}['api_key']"
            )
        if not vertex and (self.project or self.location or credentials is not None):
            raise InvalidSettings(
                "'project', 'location' and 'credentials' belong to Vertex AI: add 'vertex': True.",
                path=path,
            )

    def wrong(self, option: str, wants: str, given: object) -> InvalidSettings:
        """The error for an option of the wrong kind."""
        return InvalidSettings(f"expected {wants}, got {given!r}.", path=f"{self.path}[{option!r}]")

    def _text(self, option: str, value: str | None) -> str:
        # None is what os.environ.get() gives.
        if not isinstance(value, str | None):
            raise self.wrong(option, "a text", type(value).__name__)
        return value or ""

    @property
    def key(self) -> str:
        """The API key, read anew each time; empty on Vertex."""
        if self.vertex:
            return ""
        return (self._api_key or os.environ.get(ENVIRONMENT, "")).strip()

    @property
    def address(self) -> Address:
        return Address(
            key=self.key,
            base_url=self.base_url,
            connections=self.connections,
            project=self.project,
            location=self.location,
            credentials=self.credentials,
        )

    @property
    def where(self) -> str:
        """Where a person sets the key or the credentials."""
        if self.vertex:
            return (
                f"{self.path}['credentials'] or in the environment variable {DEFAULT_CREDENTIALS}"
            )
        return f"{self.path}['api_key'] or in the environment variable {ENVIRONMENT}"

    @property
    def problem(self) -> str:
        """Why nothing can be sent, as a sentence; empty when something can."""
        return next((message.msg for message in self._problems()), "")

    def checks(self) -> Iterator[CheckMessage]:
        yield from self._problems()
        yield from self._about_the_address()

    def _problems(self) -> Iterator[CheckMessage]:
        yield from self._on_vertex() if self.vertex else self._about_the_key()

    def _about_the_key(self) -> Iterator[CheckMessage]:
        key = self.key
        said = ""
        if not key:
            said = "There is no API key for Gemini."
        elif not key.isascii() or not key.isprintable() or " " in key:
            said = "The API key for Gemini has characters that no key has."
        if said:
            yield Warning(said, hint=f"Set the key in {self.where}.", id="nb_catalog.W201")

    def _on_vertex(self) -> Iterator[CheckMessage]:
        missing = [name for name in ("project", "location") if not getattr(self, name)]
        if missing:
            yield Error(
                f"{self.path}: Vertex AI also needs {' and '.join(map(repr, missing))}.",
                hint='"OPTIONS": {"vertex": True, "project": "my-project", "location": "europe-west4"}',
                id="nb_catalog.E204",
            )
        yield from self._about_credentials()

    def _about_credentials(self) -> Iterator[CheckMessage]:
        if isinstance(self.credentials, str | Path):
            if said := _wrong_with(Path(self.credentials)):
                yield Error(
                    f"{self.path}['credentials']: {said}",
                    hint="Name the JSON file with the key of a service account.",
                    id="nb_catalog.E205",
                )
        elif self.credentials is None:
            if not os.environ.get(DEFAULT_CREDENTIALS) and not GCLOUD.is_file():
                yield Warning(
                    "Vertex AI has no credentials that this machine knows of.",
                    hint=f"Set them in {self.where}. On Google's own machines they come by themselves.",
                    id="nb_catalog.W206",
                )
        elif not hasattr(self.credentials, "refresh"):
            yield Error(
                f"{self.path}['credentials'] is a {type(self.credentials).__name__}.",
                hint="Name a service account's JSON file, or give a google.auth credentials object.",
                id="nb_catalog.E205",
            )

    def _about_the_address(self) -> Iterator[CheckMessage]:
        address = urlsplit(self.base_url)
        if self.base_url and address.scheme not in {"http", "https"}:
            yield Warning(
                f"{self.path}['base_url'] is not an address.",
                hint="It begins with https://.",
                id="nb_catalog.W202",
            )
        elif address.scheme == "http" and address.hostname not in LOOPBACK:
            yield Warning(
                f"{self.path}['base_url'] sends the key and the photos unencrypted.",
                hint="Use https://.",
                id="nb_catalog.W203",
            )


def _wrong_with(path: Path) -> str:
    try:
        content = json.loads(path.read_text())
    except OSError:
        return f"the file {path.name!r} cannot be read."
    except ValueError:
        return f"the file {path.name!r} is no JSON."
    if not isinstance(content, dict) or content.get("type") != "service_account":
        return f"the file {path.name!r} is not the key of a service account."
    return ""


def is_number(value: object, kind: Any) -> bool:
    """Whether ``value`` is a number of ``kind``; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)
