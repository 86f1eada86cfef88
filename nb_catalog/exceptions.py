"""Every error that nb_catalog raises, in one tree.

NBCatalogError
├── RegistryError
│   ├── AlreadyRegistered
│   └── NotRegistered
├── RequestRefused            said before anything is written or paid for
│   ├── PlanRefused
│   └── DeckRefused           texts of a copy deck that cannot be what they say
├── IllegalMove               a state machine said no; usually somebody else was faster
├── ObjectGone                the product was deleted meanwhile
├── BillUnreadable            a provider's bill that cannot be compared
├── StorageFailed             a storage did not take or give a file
├── PictureError              the bytes of a picture are the problem
│   ├── PictureMissing
│   ├── PictureUnreadable
│   ├── PictureTooLarge
│   └── CutoutRefused
├── CopyMissing               the shop says nothing in the language that was asked for
├── TextError                 words that cannot be set on a picture as they are
│   ├── CharacterMissing      no font has a glyph for it
│   ├── TextDoesNotFit        its box is too small, at the smallest size too
│   └── ContrastTooLow        nobody could read it on its ground
├── FontUnreadable            a file that is no font, or one that nothing opens
└── ProviderError             what came back from a provider, or did not
    ├── NotSent
    ├── RateLimited
    │   └── DailyQuotaReached
    ├── ServiceUnavailable
    │   └── Overloaded        too many calls at a time, from whomever
    ├── ProviderStopped       spend cap, credit used up: a person must act
    ├── WrongService          a web page answered: not the service at all
    ├── OutcomeUnknown
    │   ├── PageInstead       a web page where the answer belongs
    │   └── AddressRefused    the picture lies where nothing may be fetched from
    ├── NoPicture             answered without a usable picture; another try may help
    ├── NoText
    ├── AnswerTooLarge        beyond MAX_PICTURE_BYTES or MAX_PICTURE_PIXELS
    ├── ContentRefused
    ├── RequestRejected
    ├── KeyRejected
    │   └── NoCredentials     nothing to send with: nothing was sent
    └── ModelRetired

InvalidSettings               django's ImproperlyConfigured: outside the family that callers catch
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from django.core.exceptions import ImproperlyConfigured

__all__ = [
    "AddressRefused",
    "AlreadyRegistered",
    "AnswerTooLarge",
    "BackoffScope",
    "Billed",
    "CharacterMissing",
    "ContentRefused",
    "ContrastTooLow",
    "CopyMissing",
    "CutoutRefused",
    "DailyQuotaReached",
    "DeckRefused",
    "FontUnreadable",
    "InvalidSettings",
    "InvalidTransition",
    "InvoiceUnreadable",
    "KeyRejected",
    "ModelRetired",
    "NBCatalogError",
    "NoCredentials",
    "NoPicture",
    "NoText",
    "NotRegistered",
    "NotSent",
    "ObjectGone",
    "OutcomeUnknown",
    "Overloaded",
    "PageInstead",
    "PictureError",
    "PictureMissing",
    "PictureTooLarge",
    "PictureUnreadable",
    "PlanRefused",
    "ProviderError",
    "ProviderStopped",
    "RateLimited",
    "RegistryError",
    "RequestRefused",
    "RequestRejected",
    "ServiceUnavailable",
    "StorageFailed",
    "TextDoesNotFit",
    "TextError",
    "WrongService",
]


class InvalidSettings(ImproperlyConfigured):
    """A setting is wrong. The message begins with the setting's path."""

    def __init__(self, message: str, *, path: str = "NB_CATALOG") -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class NBCatalogError(Exception):
    """The root. ``code`` is stable and part of the API; the text is a sentence for a person."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class RegistryError(NBCatalogError):
    code = "registry"


class AlreadyRegistered(RegistryError):
    code = "already_registered"


class NotRegistered(RegistryError, LookupError):
    code = "not_registered"


class RequestRefused(NBCatalogError):
    """What was asked for cannot be done; ``objections`` holds every reason at once."""

    code = "request_refused"

    def __init__(self, *objections: str) -> None:
        super().__init__(" ".join(objections))
        self.objections = objections


class PlanRefused(RequestRefused):
    code = "plan_refused"


class DeckRefused(RequestRefused):
    code = "deck_refused"


class InvalidTransition(NBCatalogError):
    """A move that the table of moves does not have, or that somebody else made first."""

    code = "illegal_move"


class ObjectGone(NBCatalogError):
    code = "object_gone"


class InvoiceUnreadable(NBCatalogError):
    code = "bill_unreadable"


class StorageFailed(NBCatalogError):
    code = "storage_failed"
    retryable = True


class PictureError(NBCatalogError):
    code = "picture_error"


class PictureMissing(PictureError):
    code = "picture_missing"


class PictureUnreadable(PictureError):
    code = "picture_unreadable"


class PictureTooLarge(PictureError):
    code = "picture_too_large"


class CutoutRefused(PictureError):
    """The product could not be told from its background with confidence."""

    code = "cutout_refused"


class CopyMissing(NBCatalogError):
    code = "copy_missing"


class TextError(NBCatalogError):
    """Words that cannot be set on a picture. The message names the text, its locale and its box."""

    code = "text_error"

    def __init__(self, what: str, *, text: str, box: str = "", locale: str = "") -> None:
        self.what, self.text, self.box, self.locale = what, text, box, locale
        place = f"{box} ({locale}), " if box else ""
        line = " ".join(text.split())
        quoted = line if len(line) <= 60 else f"{line[:59].rstrip()}…"
        super().__init__(f'{place}"{quoted}": {what}')

    def at(self, *, box: str, locale: str) -> Self:
        """The same, for the reader of a whole picture."""
        return type(self)(self.what, text=self.text, box=box, locale=locale)


class CharacterMissing(TextError):
    """No font of the chain has a glyph for it."""

    code = "character_missing"


class TextDoesNotFit(TextError):
    code = "text_does_not_fit"


class ContrastTooLow(TextError):
    code = "contrast_too_low"


class FontUnreadable(NBCatalogError):
    code = "font_unreadable"


class Billed(StrEnum):
    """Whether a call that failed costs money all the same."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class BackoffScope(StrEnum):
    """How far one answer speaks for every further call."""

    NOTHING = ""
    MODEL = "model"
    PROVIDER = "provider"


class ProviderError(NBCatalogError):
    """A call that did not end in a picture.

    ``stops`` says whether calls to the model, or to the whole provider, would fail the same way.
    They then wait: for ``retry_after`` seconds, or with ``needs_person`` until somebody has seen
    to it.

    ``retry_after`` is in seconds, as the provider said it. ``usage`` holds the token counts
    that came with the answer, because answers without a picture are billed too.
    """

    code = "provider_error"
    billed: ClassVar[Billed] = Billed.UNKNOWN
    stops: ClassVar[BackoffScope] = BackoffScope.NOTHING
    needs_person: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        reason: str = "",
        usage: dict[str, int] | None = None,
        model_version: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason
        self.usage = usage or {}
        self.model_version = model_version
        self.request_id = request_id


class NotSent(ProviderError):
    """The connection failed before the request left: free to try again."""

    code = "not_sent"
    retryable = True
    billed = Billed.NO


class RateLimited(ProviderError):
    code = "rate_limited"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.MODEL


class DailyQuotaReached(RateLimited):
    code = "daily_quota_reached"


class ServiceUnavailable(ProviderError):
    """A 5xx with the provider's own error body, which its billing FAQ says is not charged."""

    code = "service_unavailable"
    retryable = True
    billed = Billed.NO


class Overloaded(ServiceUnavailable):
    """A 503 with the provider's own error body: it has more to do than it can."""

    code = "overloaded"


class ProviderStopped(ProviderError):
    """A spend cap or an empty account: every further call would fail the same way."""

    code = "provider_stopped"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.PROVIDER
    needs_person = True


class WrongService(ProviderError):
    """A web page refused the request: the address is wrong, or something stands in between."""

    code = "wrong_service"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.PROVIDER
    needs_person = True


class OutcomeUnknown(ProviderError):
    """The request went out and no answer that can be trusted came back. It may be charged."""

    code = "outcome_unknown"


class PageInstead(OutcomeUnknown):
    """A web page came with a 200, as networks answer that want people to sign in. It is not
    known whether the request had reached the service."""

    code = "page_instead"
    stops = BackoffScope.PROVIDER
    needs_person = True


class AddressRefused(OutcomeUnknown):
    """The picture was made and lies at an address that the settings do not allow. Every further
    one would be paid for and lost the same way."""

    code = "address_refused"
    stops = BackoffScope.PROVIDER
    needs_person = True


class NoPicture(ProviderError):
    """Answered without a usable picture. Each further try is paid for."""

    code = "no_picture"
    retryable = True
    billed = Billed.YES


class NoText(ProviderError):
    """Answered without the texts that were asked for. Each further try is paid for."""

    code = "no_text"
    billed = Billed.YES


class AnswerTooLarge(ProviderError):
    """A picture beyond the host's own limits. It is paid for, and would be as large again."""

    code = "answer_too_large"
    billed = Billed.YES


class ContentRefused(ProviderError):
    """The provider's policy said no. The same request would be refused again."""

    code = "content_refused"
    billed = Billed.UNKNOWN


class RequestRejected(ProviderError):
    code = "request_rejected"
    billed = Billed.NO


class KeyRejected(ProviderError):
    """A key that is wrong, revoked or not allowed to. What waits is not lost: it goes on once the
    key is right."""

    code = "key_rejected"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.PROVIDER
    needs_person = True


class NoCredentials(KeyRejected):
    code = "no_credentials"


class ModelRetired(ProviderError):
    code = "model_retired"
    billed = Billed.NO
    stops = BackoffScope.MODEL
    needs_person = True
