"""How calls authenticate: an API key of the developer API, or a project on Vertex AI."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.gemini.client import ClientOptions
from nb_catalog.providers.redaction import secrets_in_url

ENVIRONMENT: Final = "GEMINI_API_KEY"
# Where google.auth.default() looks, as far as that is known without a network.
DEFAULT_CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
GCLOUD: Final = Path.home() / ".config/gcloud/application_default_credentials.json"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Account:
    """Authentication options. ``path`` is their settings path, which errors quote.

    ``credentials`` is the path of a service account's JSON file, a ``google.auth`` object, or None
    for the machine's own credentials.
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
            raise self.option_error("vertex", "True or False", vertex)
        if not is_number(connections, int) or connections < 0:
            raise self.option_error("connections", "a whole number, 0 for no limit", connections)
        self._api_key = self._text("api_key", api_key)
        self.base_url = self._text("base_url", base_url)
        self.connections = connections
        self.vertex = vertex
        self.project = self._text("project", project)
        self.location = self._text("location", location)
        self.credentials = credentials
        if vertex and self._api_key:
            raise InvalidSettings(
                "Vertex AI takes credentials, not an API key.", path=f"{path}['api_key']"
            )
        if not vertex and (self.project or self.location or credentials is not None):
            raise InvalidSettings(
                "'project', 'location' and 'credentials' belong to Vertex AI: add 'vertex': True.",
                path=path,
            )

    def option_error(self, option: str, expected: str, value: object) -> InvalidSettings:
        """Return the error for an option of the wrong kind."""
        return InvalidSettings(
            f"expected {expected}, got {value!r}.", path=f"{self.path}[{option!r}]"
        )

    def _text(self, option: str, value: str | None) -> str:
        # None is what os.environ.get() returns for an unset variable.
        if not isinstance(value, str | None):
            raise self.option_error(option, "a text", type(value).__name__)
        return value or ""

    @property
    def key(self) -> str:
        """The API key, read from the environment on each access; empty on Vertex AI."""
        if self.vertex:
            return ""
        return (self._api_key or os.environ.get(ENVIRONMENT, "")).strip()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be displayed: the key, an access token, and a password in ``base_url``."""
        token = getattr(self.credentials, "token", None)
        known = (self.key, token if isinstance(token, str) else "", *secrets_in_url(self.base_url))
        return tuple(filter(None, known))

    @property
    def client_options(self) -> ClientOptions:
        return ClientOptions(
            key=self.key,
            base_url=self.base_url,
            connections=self.connections,
            project=self.project,
            location=self.location,
            credentials=self.credentials,
        )

    @property
    def key_setting(self) -> str:
        """Where the key or the credentials are set, as messages quote it."""
        if self.vertex:
            return (
                f"{self.path}['credentials'] or in the environment variable {DEFAULT_CREDENTIALS}"
            )
        return f"{self.path}['api_key'] or in the environment variable {ENVIRONMENT}"

    @property
    def problem(self) -> str:
        """Why nothing can be sent, as a sentence; empty if calls are possible."""
        return next((message.msg for message in self._problems()), "")

    def checks(self) -> Iterator[CheckMessage]:
        """Yield every problem of the options, without using the network."""
        yield from self._problems()
        url = urlsplit(self.base_url)
        if self.base_url and url.scheme not in {"http", "https"}:
            yield Warning(
                f"{self.path}['base_url'] is not a valid URL.",
                hint="It must begin with https://.",
                id="nb_catalog.W202",
            )
        elif url.scheme == "http" and url.hostname not in LOOPBACK:
            yield Warning(
                f"{self.path}['base_url'] sends the key and the photos unencrypted.",
                hint="Use https://.",
                id="nb_catalog.W203",
            )

    def _problems(self) -> Iterator[CheckMessage]:
        if not self.vertex:
            message = ""
            if not (key := self.key):
                message = "There is no API key for Gemini."
            elif not key.isascii() or not key.isprintable() or " " in key:
                message = "The API key for Gemini contains invalid characters."
            if message:
                yield Warning(
                    message, hint=f"Set the key in {self.key_setting}.", id="nb_catalog.W201"
                )
            return
        missing = [name for name in ("project", "location") if not getattr(self, name)]
        if missing:
            yield Error(
                f"{self.path}: Vertex AI also needs {' and '.join(map(repr, missing))}.",
                hint='"OPTIONS": {"vertex": True, "project": "my-project", "location": "europe-west4"}',
                id="nb_catalog.E204",
            )
        if isinstance(self.credentials, str | Path):
            if message := _file_problem(Path(self.credentials)):
                yield Error(
                    f"{self.path}['credentials']: {message}",
                    hint="Use the path of a service account's JSON key file.",
                    id="nb_catalog.E205",
                )
        elif self.credentials is None:
            if not os.environ.get(DEFAULT_CREDENTIALS) and not GCLOUD.is_file():
                yield Warning(
                    "Vertex AI has no credentials on this machine.",
                    hint=f"Set them in {self.key_setting}. Google's own machines provide them automatically.",
                    id="nb_catalog.W206",
                )
        elif not hasattr(self.credentials, "refresh"):
            yield Error(
                f"{self.path}['credentials'] is a {type(self.credentials).__name__}.",
                hint="Use the path of a service account's JSON file, or a google.auth credentials object.",
                id="nb_catalog.E205",
            )


def _file_problem(path: Path) -> str:
    try:
        content = json.loads(path.read_text())
    except OSError:
        return f"the file {path.name!r} cannot be read."
    except ValueError:
        return f"the file {path.name!r} is not JSON."
    if not isinstance(content, dict) or content.get("type") != "service_account":
        return f"the file {path.name!r} is not the key of a service account."
    return ""


def is_number(value: object, kind: Any) -> bool:
    """Whether ``value`` is a number of ``kind``; True and False are not."""
    return isinstance(value, kind) and not isinstance(value, bool)
