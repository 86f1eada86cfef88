"""Text providers: models that return text, and what every result of theirs includes."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

from nb_catalog.conf import setting_path, settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers import import_backend
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
    a person accepts them, ``model`` is the model that is billed.
    """

    setting: ClassVar[str] = ""
    name: str = ""
    model: str = ""

    @abstractmethod
    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        """Return the cost of a call with this ``usage``, in USD; None if it is not known."""

    @abstractmethod
    async def send(self, payload: Payload) -> RawResponse:
        """Send ``payload`` once. The only step that costs money; no ORM. Raises a ``ProviderError``."""

    @abstractmethod
    def parse(self, answer: RawResponse) -> R_co:
        """Return the texts in the response. Pure. Raises a ``ProviderError``."""

    async def close(self) -> None:  # noqa: B027 - most hold nothing open
        """Close connections."""


B = TypeVar("B", bound=TextProvider[Any])


def text_provider(kind: type[B]) -> B | None:
    """Return the text provider that ``NB_CATALOG[kind.setting]`` configures; None if there is none.

    Raises ``InvalidSettings`` if it cannot be imported, and for options that it does not have.
    """
    entry: Mapping[str, Any] | None = getattr(settings, kind.setting)
    if entry is None:
        return None
    path = setting_path(kind.setting)
    backend = import_backend(entry["BACKEND"], kind=kind, path=path)
    known = set(inspect.signature(backend).parameters)
    for option in entry.get("OPTIONS", {}):
        if option not in known:
            raise InvalidSettings(
                f"unknown option {option!r}.{nearest(option, known)}", path=f"{path}['OPTIONS']"
            )
    try:
        provider: B = backend(**entry.get("OPTIONS", {}))
    except TypeError as error:
        raise InvalidSettings(f"{error}.", path=f"{path}['OPTIONS']") from error
    return provider
