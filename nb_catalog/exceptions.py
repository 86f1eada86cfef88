"""Every error that nb_catalog raises, in one tree.

NBCatalogError
├── RegistryError
│   ├── AlreadyRegistered
│   └── NotRegistered
├── RequestRefused            reported before anything is written or paid for
│   ├── PlanRefused
│   ├── FidelityRefused       a product that differs from its photo: published with a reason only
│   └── DeckRefused           texts of a copy deck that are not valid
├── InvalidTransition         not allowed in this state; usually someone else was faster
├── ObjectGone                the product has been deleted
├── InvoiceUnreadable         a provider's invoice that cannot be parsed or compared
├── DownloadFailed            a file that a person asked for did not arrive as it should
├── StorageFailed             a storage failed to save or read a file
├── PictureError              the bytes of a picture are the problem
│   ├── PictureMissing
│   ├── PictureUnreadable
│   ├── PictureTooLarge
│   ├── CutoutRefused         the product cannot be separated from its background with confidence
│   ├── CropRefused           the photo cannot be cropped without cutting its product, or is too small
│   └── AdjustmentRefused     the picture cannot be adjusted as it was asked for
├── CopyMissing               no copy in the requested locale
├── TextError                 text that cannot be set on a picture as it is
│   ├── CharacterMissing      no font has a glyph for it
│   ├── TextDoesNotFit        its box is too small, even at the smallest size
│   └── ContrastTooLow        unreadable on its background
├── FontUnreadable            a file that is not a font, or cannot be opened
└── ProviderError             a provider's error, or no usable response
    ├── NotSent
    ├── RateLimited
    │   └── DailyQuotaReached
    ├── ServiceUnavailable
    │   └── Overloaded        too many concurrent calls, not only ours
    ├── ProviderStopped       spend cap, no credit left, no billing: a person must act
    │   └── AccountBlocked    region, disabled API, suspended project, policy of the organization
    ├── ModelUnavailable      this account may not use the model, or its quota is 0
    ├── WrongService          an error page: not the service at all
    ├── OutcomeUnknown
    │   ├── PageInstead       a web page in place of the response
    │   └── AddressRefused    the picture is at a URL that settings do not allow
    ├── NoPicture             no usable picture in the response; a retry may help
    ├── NoText
    ├── AnswerTooLarge        beyond MAX_PICTURE_BYTES or MAX_PICTURE_PIXELS
    ├── ContentRefused
    ├── RequestRejected
    ├── KeyRejected
    │   └── NoCredentials     no credentials found: nothing was sent
    └── ModelRetired

InvalidSettings               Django's ImproperlyConfigured: outside the tree that callers catch
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from django.core.exceptions import ImproperlyConfigured

__all__ = [
    "AccountBlocked",
    "AddressRefused",
    "AdjustmentRefused",
    "AlreadyRegistered",
    "AnswerTooLarge",
    "BackoffScope",
    "Billed",
    "CharacterMissing",
    "ContentRefused",
    "ContrastTooLow",
    "CopyMissing",
    "CropRefused",
    "CutoutRefused",
    "DailyQuotaReached",
    "DeckRefused",
    "DownloadFailed",
    "FidelityRefused",
    "FontUnreadable",
    "InvalidSettings",
    "InvalidTransition",
    "InvoiceUnreadable",
    "KeyRejected",
    "ModelRetired",
    "ModelUnavailable",
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
    """The root. ``code`` is stable and part of the API; the message is a sentence for people."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class RegistryError(NBCatalogError):
    code = "registry"


class AlreadyRegistered(RegistryError):
    code = "already_registered"


class NotRegistered(RegistryError, LookupError):
    code = "not_registered"


class RequestRefused(NBCatalogError):
    """The request cannot be carried out; ``objections`` has all of the reasons."""

    code = "request_refused"

    def __init__(self, *objections: str) -> None:
        super().__init__(" ".join(objections))
        self.objections = objections


class FidelityRefused(RequestRefused):
    code = "fidelity_refused"


class PlanRefused(RequestRefused):
    code = "plan_refused"


class DeckRefused(RequestRefused):
    code = "deck_refused"


class InvalidTransition(NBCatalogError):
    """A transition that the state does not allow, or that someone else has made first."""

    code = "illegal_move"


class SpecUnreadable(NBCatalogError):
    """A job was written by other code than this, and cannot be read by it."""

    code = "spec_unreadable"


class ObjectGone(NBCatalogError):
    code = "object_gone"


class InvoiceUnreadable(NBCatalogError):
    code = "bill_unreadable"


class DownloadFailed(NBCatalogError):
    code = "download_failed"


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
    code = "cutout_refused"


class CropRefused(PictureError):
    code = "crop_refused"


class AdjustmentRefused(PictureError):
    code = "adjustment_refused"


class CopyMissing(NBCatalogError):
    code = "copy_missing"


class TextError(NBCatalogError):
    """Text that cannot be set on a picture. The message names the text, its locale and its box."""

    code = "text_error"

    def __init__(self, what: str, *, text: str, box: str = "", locale: str = "") -> None:
        self.what, self.text, self.box, self.locale = what, text, box, locale
        place = f"{box} ({locale}), " if box else ""
        line = " ".join(text.split())
        quoted = line if len(line) <= 60 else f"{line[:59].rstrip()}…"
        super().__init__(f'{place}"{quoted}": {what}' if quoted else f"{place}{what}")

    def at(self, *, box: str, locale: str) -> Self:
        """Return the same error with the box and the locale, for messages about a whole picture."""
        return type(self)(self.what, text=self.text, box=box, locale=locale)


class CharacterMissing(TextError):
    code = "character_missing"


class TextDoesNotFit(TextError):
    code = "text_does_not_fit"


class ContrastTooLow(TextError):
    code = "contrast_too_low"


class FontUnreadable(NBCatalogError):
    code = "font_unreadable"


class Billed(StrEnum):
    """Whether a failed call is billed."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class BackoffScope(StrEnum):
    """Which further calls would fail the same way."""

    NOTHING = ""
    MODEL = "model"
    PROVIDER = "provider"


class ProviderError(NBCatalogError):
    """A call that did not result in a picture.

    ``stops``: whether calls to the model, or to the whole provider, would fail the same way. They
    are then paused: for ``retry_after`` seconds, or if ``needs_person`` until a person has fixed the
    cause.

    ``retry_after`` is in seconds, as the provider sent it. ``usage`` has the token counts of the
    response, because responses without a picture are billed too.
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
    """The connection failed before the request was sent: a retry costs nothing extra."""

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
    """A 5xx with the provider's own error body; not charged, according to its billing FAQ."""

    code = "service_unavailable"
    retryable = True
    billed = Billed.NO


class Overloaded(ServiceUnavailable):
    """A 503 with the provider's own error body: it is out of capacity."""

    code = "overloaded"


class ProviderStopped(ProviderError):
    code = "provider_stopped"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.PROVIDER
    needs_person = True


class AccountBlocked(ProviderStopped):
    """Every call is refused: region, API that is not enabled, suspended project, organization's policy."""

    code = "account_blocked"


class ModelUnavailable(ProviderError):
    """A model that exists and that this account may not use: not in its plan, no access, quota of 0."""

    code = "model_unavailable"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.MODEL
    needs_person = True


class WrongService(ProviderError):
    """A web page refused the request: the URL is wrong, or a proxy is in between."""

    code = "wrong_service"
    retryable = True
    billed = Billed.NO
    stops = BackoffScope.PROVIDER
    needs_person = True


class OutcomeUnknown(ProviderError):
    """The request was sent and no trustworthy response came back. It may be charged."""

    code = "outcome_unknown"


class PageInstead(OutcomeUnknown):
    """A web page with status 200, as captive portals send: the service may have got the request."""

    code = "page_instead"
    stops = BackoffScope.PROVIDER
    needs_person = True


class AddressRefused(OutcomeUnknown):
    """The picture is at a URL that the settings do not allow, as every further one would be."""

    code = "address_refused"
    stops = BackoffScope.PROVIDER
    needs_person = True


class NoPicture(ProviderError):
    """A response without a usable picture. Each retry is paid for."""

    code = "no_picture"
    retryable = True
    billed = Billed.YES


class NoText(ProviderError):
    """A response without the requested texts. Each retry is paid for."""

    code = "no_text"
    billed = Billed.YES


class AnswerTooLarge(ProviderError):
    """A picture beyond the host's own limits. It is paid for, and a retry would be as large."""

    code = "answer_too_large"
    billed = Billed.YES


class ContentRefused(ProviderError):
    """Refused by the provider's content policy. The same request would be refused again."""

    code = "content_refused"
    billed = Billed.UNKNOWN


class RequestRejected(ProviderError):
    code = "request_rejected"
    billed = Billed.NO


class KeyRejected(ProviderError):
    """A key that is wrong, revoked or lacks permission. Queued jobs continue once the key is right."""

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
