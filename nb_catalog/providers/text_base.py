"""Text providers: models that return text, and what every result of theirs includes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

from nb_catalog.conf import setting_path, settings
from nb_catalog.core.backends import build_backend
from nb_catalog.core.text import message as _
from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.sanitizing import sanitize_methods, secret_attributes
from nb_catalog.providers.types import Payload, RawResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """What every result includes: token counts by kind, the model's version and the request's id."""

    usage: Mapping[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""


R_co = TypeVar("R_co", bound=TextResult, covariant=True)


class TextProvider(ABC, Generic[R_co]):
    """Send and parse, as in ``Provider``; each kind of text provider has its own ``build``.

    ``setting`` is the key of ``NB_CATALOG`` that configures one. ``name`` marks its proposals until
    a person accepts them, ``model`` is the model that is billed. ``alias`` (at most 40 characters) names
    the account: quotas and pauses of a provider with this alias hold its requests as well.
    """

    setting: ClassVar[str] = ""
    name: str = ""
    model: str = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        sanitize_methods(cls, ("build", "send", "parse"))

    @property
    def secrets(self) -> Sequence[str]:
        """Keys and passwords, as in ``Provider``."""
        return secret_attributes(self)

    @property
    def alias(self) -> str:
        return type(self).__name__[:40]

    @abstractmethod
    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        """Return the cost of a call with this ``usage``, in USD; None if it is not known."""

    @abstractmethod
    async def send(self, payload: Payload) -> RawResponse:
        """Send ``payload`` once. The only step that costs money; no ORM. Raises a ``ProviderError``."""

    @abstractmethod
    def parse(self, answer: RawResponse) -> R_co:
        """Return the texts in the response. Pure. Raises a ``ProviderError``."""

    async def open(self) -> None:  # noqa: B027 - most have nothing to open
        """Open what ``send`` needs, without a request: called before the call is on record, because a
        process that dies in between leaves a call whose outcome nobody knows."""

    async def close(self) -> None:  # noqa: B027 - most hold nothing open
        """Close connections."""


B = TypeVar("B", bound=TextProvider[Any])


def required(provider: B | None, *, setting: str) -> B:
    """Return ``provider``. Raises ``RequestRefused`` if it is None, because ``setting`` is not set."""
    if provider is None:
        raise RequestRefused(
            _("No provider is configured for this. Set NB_CATALOG[%(setting)r].")
            % {"setting": setting}
        )
    return provider


def text_provider(kind: type[B]) -> B | None:
    """Return the text provider that ``NB_CATALOG[kind.setting]`` configures; None if there is none.

    Raises ``InvalidSettings`` if it cannot be imported, and for options that it does not have.
    """
    entry: Mapping[str, Any] | None = getattr(settings, kind.setting)
    if entry is None:
        return None
    return build_backend(entry, kind=kind, path=setting_path(kind.setting))
