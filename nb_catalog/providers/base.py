"""The interface of an image provider: build, send, parse, check."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.core.checks import CheckMessage

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.sanitizing import sanitize_methods, secret_attributes
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

# What a provider returns and raises here comes from a service; batches are in ``BatchService``.
_FROM_OUTSIDE: Final = (
    "build", "send", "parse", "check_model", "upload", "submit", "find", "poll", "collect", "cancel",
    "delete_files",
)  # fmt: skip


class Provider(ABC):
    """A source of product pictures.

    ``is_free`` says that a call never costs money. ``composites`` says that the provider places
    the product's own pixels into the scene itself; if it does not, a locked picture is composed
    here, on the background that the provider returns.

    ``reads`` holds the MIME types of reference pictures that the provider accepts,
    ``reference_limit_bytes`` the maximum size of one file and ``reference_total_bytes`` that of
    all files of a request; None means no limit.

    ``keeps_sessions`` says that an edit can go on from one that the service has stored: ``edit["session"]``
    of a request then has the id of the ``previous`` one, "" for none, and a ``prompt`` that relies on it.
    """

    is_free: ClassVar[bool] = False
    composites: ClassVar[bool] = False
    reads: frozenset[str] = frozenset({"image/png", "image/jpeg", "image/webp"})
    reference_limit_bytes: int | None = None
    reference_total_bytes: int | None = None
    keeps_sessions: bool = False

    def __init__(self, *, alias: str) -> None:
        self.alias = alias

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        sanitize_methods(cls, _FROM_OUTSIDE)

    @property
    def secrets(self) -> Sequence[str]:
        """Keys and passwords, which are removed from everything that the methods return and raise.

        By default, the strings in attributes whose name contains "key", "token", "secret" or
        "password".
        """
        return secret_attributes(self)

    @classmethod
    def from_options(cls, alias: str, options: Mapping[str, Any]) -> Provider:
        """Build a provider from ``NB_CATALOG["PROVIDERS"][alias]["OPTIONS"]``.

        Raises ``InvalidSettings`` for an option that ``__init__`` does not take.
        """
        known = set(inspect.signature(cls.__init__).parameters) - {"self", "alias"}
        path = f"NB_CATALOG['PROVIDERS'][{alias!r}]['OPTIONS']"
        for option in options:
            if option not in known:
                raise InvalidSettings(
                    f"unknown option {option!r}.{nearest(option, known)}", path=path
                )
        return cls(alias=alias, **options)

    @abstractmethod
    def build(self, request: ImageRequest) -> Payload:
        """Return the service's request body for ``request``. Pure: no network, clock or settings."""

    @abstractmethod
    async def send(self, payload: Payload) -> RawResponse:
        """Send ``payload`` once and return the response. The only step that costs money; it
        neither retries nor uses the ORM.

        Raises a subclass of ``ProviderError``.
        """

    @abstractmethod
    def parse(self, answer: RawResponse) -> ImageResult:
        """Return the picture in the response, byte for byte. Pure. Raises a subclass of
        ``ProviderError``."""

    async def check_model(self, model: str) -> str:
        """Ask the service, free of charge, whether it knows ``model``. Return the problem as a
        sentence; empty if there is none, or if the service cannot be asked."""
        return ""

    def check(self) -> Sequence[CheckMessage]:
        """Return problems of this provider's configuration, without using the network."""
        return ()

    async def open(self) -> None:  # noqa: B027 - most have nothing to open
        """Open what ``send`` needs, without a request: called before the call is on record, because a
        process that dies in between leaves a call whose outcome nobody knows."""

    async def close(self) -> None:  # noqa: B027 - most providers hold nothing open
        """Close connections before the event loop ends."""
