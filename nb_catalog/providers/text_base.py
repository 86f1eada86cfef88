"""Advisers: whoever is asked for words, and what every answer of theirs comes with."""

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
from nb_catalog.providers import backend_at
from nb_catalog.providers.types import Payload, RawResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """What comes with an answer, whatever was asked: token counts by kind, and who gave it."""

    usage: Mapping[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""


A_co = TypeVar("A_co", bound=TextResult, covariant=True)


class TextProvider(ABC, Generic[A_co]):
    """Send and parse, as a ``Provider`` does for pictures; each kind has a ``build`` of its own.

    ``setting`` is the key of ``NB_CATALOG`` that names one. ``name`` is what its proposals are marked
    with until a person accepts them, ``model`` what is billed.
    """

    setting: ClassVar[str] = ""
    name: str = ""
    model: str = ""

    @abstractmethod
    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        """What an answer with this ``usage`` has cost, in USD; None where nobody can say."""

    @abstractmethod
    async def send(self, payload: Payload) -> RawResponse:
        """Send it once. The only step that spends money; no ORM. Raises a ``ProviderError``."""

    @abstractmethod
    def parse(self, answer: RawResponse) -> A_co:
        """What the answer says. Pure. Raises a ``ProviderError``."""

    async def close(self) -> None:  # noqa: B027 - most hold nothing open
        """Let go of connections."""


B = TypeVar("B", bound=TextProvider[Any])


def text_provider(kind: type[B]) -> B | None:
    """The one that ``NB_CATALOG[kind.setting]`` describes; None where there is none.

    Raises ``InvalidSettings`` for one that does not import, and for options that it does not have.
    """
    entry: Mapping[str, Any] | None = getattr(settings, kind.setting)
    if entry is None:
        return None
    path = setting_path(kind.setting)
    backend = backend_at(entry["BACKEND"], kind=kind, path=path)
    known = set(inspect.signature(backend).parameters)
    for option in entry.get("OPTIONS", {}):
        if option not in known:
            raise InvalidSettings(
                f"unknown option {option!r}.{nearest(option, known)}", path=f"{path}['OPTIONS']"
            )
    try:
        made: B = backend(**entry.get("OPTIONS", {}))
    except TypeError as error:
        raise InvalidSettings(f"{error}.", path=f"{path}['OPTIONS']") from error
    return made
