"""Why jobs have no result, in words, and which of them a retry may help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.states import JobState
from nb_catalog.exceptions import NBCatalogError

UNSUCCESSFUL: Final = (JobState.FAILED, JobState.REFUSED, JobState.UNKNOWN)

# Not retried automatically because each attempt is paid for, but another attempt may end differently.
_MAY_DIFFER: Final = frozenset({"no_text", "outcome_unknown", "page_instead"})

PHOTO: Final = _("The same photo fails each time. Replace it, then plan the picture again.")
TEXT: Final = _(
    "The same text fails each time. Change the text or the layout, then plan the picture again."
)
REQUEST: Final = _(
    "The provider refuses the same request each time. Change the scene, the photo or the tier, then "
    "plan the picture again."
)
OTHERWISE: Final = _(
    "The same request fails each time. Fix its cause, then plan the picture again."
)
# Code -> (what happened, what to do if a retry would fail).
_EXPLANATIONS: Final[Mapping[str, tuple[Any, Any]]] = {
    "account_blocked": (_("The provider blocks this account."), ""),
    "address_refused": (_("The picture is at an address that the settings do not allow."), OTHERWISE),
    "answer_too_large": (_("The picture is larger than the settings allow."), REQUEST),
    "character_missing": (_("No font has a character of the text."), TEXT),
    "content_refused": (_("The provider's content policy refuses the request."), REQUEST),
    "contrast_too_low": (_("The text is not legible on its background."), TEXT),
    "copy_missing": (_("There is no text in this language."), TEXT),
    "crop_refused": (_("The photo cannot be cropped without cutting off its product."), PHOTO),
    "cutout_refused": (_("The product cannot be separated from its background."), PHOTO),
    "daily_quota_reached": (_("The daily quota of the model has been reached."), ""),
    "font_unreadable": (_("A font cannot be read."), TEXT),
    "key_rejected": (_("The provider rejects the API key."), ""),
    "made_again": (
        _("The picture differs too much from the anchor of its series and was requested again."), ""
    ),
    "made_meanwhile": (_("It has been made by another job."), ""),
    "model_retired": (
        _("The model is no longer available."), _("Choose another tier, and plan the picture again.")
    ),
    "model_unavailable": (_("This account may not use the model."), ""),
    "no_credentials": (_("There are no credentials for the provider."), ""),
    "no_picture": (_("The provider returned no usable picture."), ""),
    "no_text": (_("The provider returned no usable texts."), ""),
    "not_sent": (_("The provider could not be reached."), ""),
    "object_gone": (_("The product has been deleted."), _("There is nothing to be done.")),
    "outcome_unknown": (_("No response was received."), ""),
    "overloaded": (_("The provider is overloaded."), ""),
    "page_instead": (_("A web page came instead of a response."), ""),
    "picture_error": (_("The picture cannot be used."), PHOTO),
    "picture_missing": (_("The photo of the product is missing."), PHOTO),
    "picture_too_large": (_("The photo of the product is too large."), PHOTO),
    "picture_unreadable": (_("The photo of the product cannot be read."), PHOTO),
    "provider_stopped": (_("The account has no credit or has reached its spend cap."), ""),
    "rate_limited": (_("The provider received too many requests."), ""),
    "request_rejected": (_("The provider rejects the request."), REQUEST),
    "service_unavailable": (_("The provider is not available."), ""),
    "spec_unreadable": (
        _("The job was written by another version of the program."), _("Plan the picture again.")
    ),
    "storage_failed": (_("A storage failed to save or read a file."), ""),
    "text_does_not_fit": (_("The text does not fit into its box."), TEXT),
    "text_error": (_("The text cannot be set on the picture."), TEXT),
    "worker_died": (_("The worker died each time. It may need more memory."), ""),
    "wrong_service": (_("The address of the provider leads to another service."), ""),
}  # fmt: skip


def hopeless_codes() -> list[str]:
    """Return the codes of errors after which the same request fails again."""
    known = {each.code: each.retryable for each in _error_classes(NBCatalogError)}
    return sorted(
        code for code, retryable in known.items() if not retryable and code not in _MAY_DIFFER
    )


def _error_classes(root: type[NBCatalogError]) -> Iterator[type[NBCatalogError]]:
    yield root
    for each in root.__subclasses__():
        yield from _error_classes(each)


def hopeless() -> Q:
    """Return the condition for unsuccessful jobs that must fail again."""
    return Q(state__in=(JobState.FAILED, JobState.REFUSED), error_code__in=hopeless_codes())


def worth_retrying() -> Q:
    """Return the condition for unsuccessful jobs that a retry may help."""
    return Q(state__in=(JobState.FAILED, JobState.REFUSED)) & ~Q(error_code__in=hopeless_codes())


def advice_for(code: str, *, state: str) -> str:
    """Return what to do about jobs that ended in ``state`` with ``code``; empty if a retry may help."""
    if state not in (JobState.FAILED, JobState.REFUSED) or code not in hopeless_codes():
        return ""
    return str(_EXPLANATIONS.get(code, ("", OTHERWISE))[1])


def describe_error(code: str) -> str:
    """Return what an error code means, in a few words; the code itself if nothing is known of it."""
    return summary_of(code) or code


def summary_of(code: str) -> str:
    """Return what an error code means, in a few words; empty if nothing is known of it."""
    return str(_EXPLANATIONS.get(code, ("", ""))[0])
