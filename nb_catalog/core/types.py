"""Values shared by all packages. Frozen: a change is a new value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# Who acts: a row of the host's user model, or None for the system.
Actor: TypeAlias = Any

BACKDROP: Final = "backdrop"
"""The role of a reference that shows the place where the product is to be."""
ANCHOR: Final = "anchor"
"""The role of a reference that shows the look of a series, with another product."""
DRAFT: Final = "draft"
"""The role of a reference that shows the composition of a picture, which is made again."""
PARENT: Final = "parent"
"""The role of a reference that shows the picture that is edited."""
AREA: Final = "area"
"""The role of a reference that shows where a picture is to be edited, white on black."""
POSES: Final = ("", "standing", "lying")
"""How a product rests; "" leaves it to its photo."""


class Treatment(TextChoices):
    """How the product is put into the scene, or that the picture is the product's photo as it is."""

    LOCKED = "locked", _("Locked: the product's own pixels")
    RELIT = "relit", _("Relit: its own pixels with the scene's light")
    PAINTED = "painted", _("Painted: a model redraws the product")
    PHOTO = "photo", _("The photo itself")


SCENE_TREATMENTS: Final = (Treatment.LOCKED, Treatment.RELIT, Treatment.PAINTED)
"""The treatments of a product in a scene."""
OWN_PHOTO: Final = "@photo"
"""What requests and filters call the scene of a product's own photo, which has none. Not a scene's key: those
have no @."""


class PhotoKind(TextChoices):
    """What a photo shows, and so how a product gets from it into a scene."""

    PACKSHOT = "packshot", _("Product on a background: cut out")
    FULL_FRAME = "full_frame", _("The whole photo is the product: a cover, a print, a card")
    LIFESTYLE = "lifestyle", _("Product in use: left as it is")


class RequestMode(TextChoices):
    """Whether a picture is requested immediately, or in a provider's batch at half the price."""

    DIRECT = "direct", _("Now")
    BATCH = "batch", _("In a batch, at half the price")


class JobKind(TextChoices):
    """What a job requests: a picture, or texts about a copy deck or a picture."""

    IMAGE = "image", _("Picture")
    TRANSLATION = "translation", _("Translation")
    ALT_TEXT = "alt_text", _("Alternative texts")
    OCR = "ocr", _("Reading of painted text")
    COMPARISON = "comparison", _("Comparison with the product’s photo")


class TextMethod(TextChoices):
    """How text gets onto a picture."""

    SET = "set", _("Set: every letter exactly as it is written")
    PAINTED = "painted", _("Painted: a model draws them into the scene")


class Permission(StrEnum):
    """The permissions to spend, decide, publish and settle."""

    GENERATE = "nb_catalog.generate"
    REVIEW = "nb_catalog.review"
    PUBLISH = "nb_catalog.publish"
    OVERRIDE_FIDELITY = "nb_catalog.override_fidelity"
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
        """Return it with ``by`` more pixels on each side, or fewer if ``by`` is negative."""
        return Rect(self.left - by, self.top - by, self.width + 2 * by, self.height + 2 * by)

    def holds(self, other: Rect) -> bool:
        """Return whether ``other`` is inside it or equal to it."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def shared(self, other: Rect) -> int:
        """Return the number of pixels in both."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, wide) * max(0, tall)


class Money(NamedTuple):
    """An amount in a currency (ISO 4217 code, "EUR"). django-money's ``Money`` is accepted as well."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo of the product that the host owns, by its name in one of the host's storages.

    ``version`` distinguishes contents when a file is replaced under the same name. ``file`` is the
    model field's own file, if the photo comes from a field: its storage overrides the alias.
    """

    name: str
    storage: str = "default"
    version: str = ""
    alt: str = ""
    file: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What else a product comes in: another colour, or another side of it.

    ``key`` identifies it among the variants of its product: letters, digits, hyphens and underscores.
    ``name`` is what people read. It is shown by ``photo``, or by the first photo of ``product``, an object of
    a registered model. Without either, a model paints it in ``colour`` from the product's own photo: a name
    of CSS such as "navy", or "#rrggbb".
    """

    key: str
    name: str = ""
    photo: Photo | None = None
    product: Any = None
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A picture that is sent with a request."""

    data: bytes = field(repr=False)
    mime_type: str
    role: str = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSent:
    """The product's photo as it was sent to a model. Pixels, bytes, sha256 in hex; ``changes`` are
    codes such as "from_heic" and "downscaled", empty if it was sent unchanged."""

    mime_type: str
    width: int
    height: int
    byte_size: int
    sha256: str
    changes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return {**asdict(self), "changes": list(self.changes)}
