"""What a provider of pictures is: build, send, parse, check."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.core.checks import CheckMessage

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse


class Provider(ABC):
    """One way to get pictures made.

    ``is_free`` says that no call costs money: free calls may be repeated after a crash, paid ones
    are sent at most once. ``composites`` says whether the provider sets
    the product's own pixels into the scene itself; where it does not, a locked picture is
    composed by us on the surroundings that it returns.

    ``reads`` are the MIME types of reference pictures that it takes, ``reference_limit_bytes`` the
    largest single one and ``reference_total_bytes`` all of one request together, in bytes of the
    files; None is no limit.
    """

    is_free: ClassVar[bool] = False
    composites: ClassVar[bool] = False
    reads: frozenset[str] = frozenset({"image/png", "image/jpeg", "image/webp"})
    reference_limit_bytes: int | None = None
    reference_total_bytes: int | None = None

    def __init__(self, *, alias: str) -> None:
        self.alias = alias

    @classmethod
    def from_options(cls, alias: str, options: Mapping[str, Any]) -> Provider:
        """Make one from ``NB_CATALOG["PROVIDERS"][alias]["OPTIONS"]``; refuse unknown options."""
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
        """The vendor's body for ``request``. Pure: no network, no clock, no settings."""

    @abstractmethod
    async def send(self, payload: Payload) -> RawResponse:
        """Send it once. The only step that spends money; no ORM, no retries.

        Raises a subclass of ``ProviderError``.
        """

    @abstractmethod
    def parse(self, answer: RawResponse) -> ImageResult:
        """The picture in the answer, untouched. Pure. Raises a subclass of ``ProviderError``."""

    async def reachable(self, model: str) -> str:
        """Ask the service whether it knows ``model``, free of charge: empty when it does, or when
        there is no way to ask, else a sentence."""
        return ""

    def check(self) -> Sequence[CheckMessage]:
        """What is wrong with this provider's configuration, without touching the network."""
        return ()

    async def close(self) -> None:  # noqa: B027 - most providers hold nothing open
        """Let go of connections at the end of an event loop's life."""
