"""Translators: whoever proposes the texts of a copy deck in another language."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nb_catalog.conf import NAME, nearest, settings
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers import backend_at
from nb_catalog.types import Payload, RawAnswer

PATH = f"{NAME}['TRANSLATOR']"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """Texts by role as a translator proposes them, and what came with them."""

    texts: Mapping[str, str]
    usage: Mapping[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""


class Translator(ABC):
    """Build, send and parse, as a ``Provider`` does for pictures. ``name`` is what its proposals are
    marked with until a person accepts them."""

    name: str = ""
    model: str = ""

    @abstractmethod
    def estimate(self, texts: Mapping[str, str]) -> Decimal:
        """The most that translating ``texts`` (role -> text) is expected to cost, in USD. Raises
        ``RequestRefused`` where that is not known; what is free costs 0."""

    @abstractmethod
    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        """What an answer with this ``usage`` has cost, in USD; None where nobody can say."""

    @abstractmethod
    def build(self, texts: Mapping[str, str], *, source: str, target: str) -> Payload:
        """The vendor's body for ``texts`` from the locale ``source`` into ``target``. Pure."""

    @abstractmethod
    async def send(self, payload: Payload) -> RawAnswer:
        """Send it once. The only step that spends money; no ORM. Raises a ``ProviderError``."""

    @abstractmethod
    def parse(self, answer: RawAnswer) -> Translated:
        """The texts in the answer. Pure. Raises a ``ProviderError``."""

    async def close(self) -> None:  # noqa: B027 - most translators hold nothing open
        """Let go of connections."""


def translator() -> Translator | None:
    """The one that ``NB_CATALOG["TRANSLATOR"]`` describes; None where there is none.

    Raises ``InvalidSettings`` for one that does not import, and for options that it does not have.
    """
    entry: Mapping[str, Any] | None = settings.TRANSLATOR
    if entry is None:
        return None
    # An abstract class: mypy wants a concrete one where a type is passed.
    backend: type[Translator] = backend_at(
        entry["BACKEND"], kind=Translator, path=PATH  # type: ignore[type-abstract]
    )  # fmt: skip
    known = set(inspect.signature(backend).parameters)
    for option in entry.get("OPTIONS", {}):
        if option not in known:
            raise InvalidSettings(
                f"unknown option {option!r}.{nearest(option, known)}", path=f"{PATH}['OPTIONS']"
            )
    try:
        made: Translator = backend(**entry.get("OPTIONS", {}))
    except TypeError as error:
        raise InvalidSettings(f"{error}.", path=f"{PATH}['OPTIONS']") from error
    return made
