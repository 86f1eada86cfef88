"""The values that travel between the floors. Frozen: a change is a new value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# Whoever acts: a row of the host's own user model, or None for the machine.
Actor: TypeAlias = Any

POSES: Final = ("", "standing", "lying")
"""How a product rests; "" lets its picture decide."""


class Treatment(TextChoices):
    """How the product gets into the scene."""

    LOCKED = "locked", _("Locked: the product's own pixels")
    PAINTED = "painted", _("Painted: a model redraws the product")


class RequestMode(TextChoices):
    """When a picture is wanted: at once, or whenever the provider has time, at half the price."""

    DIRECT = "direct", _("Now")
    BATCH = "batch", _("In a batch, at half the price")


class TextMethod(TextChoices):
    """How words get onto a picture."""

    SET = "set", _("Set: every letter exactly as it is written")
    PAINTED = "painted", _("Painted: a model draws them into the scene")


class Permission(StrEnum):
    """Who may spend, decide and publish."""

    GENERATE = "nb_catalog.generate"
    REVIEW = "nb_catalog.review"
    PUBLISH = "nb_catalog.publish"
    RECONCILE = "nb_catalog.reconcile"


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


class Rect(NamedTuple):
    """Pixels, from the top left corner."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def grown(self, by: int) -> Rect:
        """It with ``by`` more pixels on each side; fewer, where that is negative."""
        return Rect(self.left - by, self.top - by, self.width + 2 * by, self.height + 2 * by)

    def holds(self, other: Rect) -> bool:
        """Whether ``other`` lies inside of it, or is it."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def shared(self, other: Rect) -> int:
        """How many pixels both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, wide) * max(0, tall)


class Money(NamedTuple):
    """An amount in a currency by its ISO 4217 code, "EUR". django-money's own will do as well."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture of the product that the host owns, by its name in one of the host's storages.

    ``version`` tells one content from another when a file is replaced under the same name.
    ``file`` is the model field's own file, when the photo comes from a field: its storage wins
    over the alias.
    """

    name: str
    storage: str = "default"
    version: str = ""
    alt: str = ""
    file: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A picture that is sent along with a request."""

    data: bytes = field(repr=False)
    mime_type: str
    role: str = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSent:
    """The product's photo as a model got it. Pixels, bytes, sha256 in hex; ``changes`` are codes
    such as "from_heic" and "downscaled", empty when it went as it is."""

    mime_type: str
    width: int
    height: int
    byte_size: int
    sha256: str
    changes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return {**asdict(self), "changes": list(self.changes)}
