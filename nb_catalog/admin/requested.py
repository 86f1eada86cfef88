"""What jobs were asked for, and what became of those without a result, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.formatting import language_name
from nb_catalog.core.states import JobState
from nb_catalog.core.types import JobKind, Treatment
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import ImageJob, Scene, TextLayout

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


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a job has no result. ``advice`` is empty if a retry may help.

    ``message`` is what the worker stored; ``summary`` is the same in a few words of the user's language,
    empty if ``message`` is in English and so is everything else.
    """

    summary: str
    message: str
    advice: str


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


def describe_error(code: str) -> str:
    """Return what an error code means, in a few words; the code itself if nothing is known of it."""
    summary, _advice = _EXPLANATIONS.get(code, ("", ""))
    return str(summary) or code


def problem_of(job: ImageJob) -> Problem:
    """Return what happened to ``job``, and what to do about it."""
    summary, advice = _EXPLANATIONS.get(job.error_code, ("", OTHERWISE))
    if (
        job.state not in (JobState.FAILED, JobState.REFUSED)
        or job.error_code not in hopeless_codes()
    ):
        advice = ""
    # Messages are written by the worker: in the site's language, or in English.
    languages = (get_language() or "en", settings.LANGUAGE_CODE)
    is_readable = bool(job.error) and all(code.startswith("en") for code in languages)
    return Problem(
        summary="" if is_readable else str(summary),
        message=job.error or ("" if summary else job.error_code),
        advice=str(advice),
    )


EDIT: Final = _("edit of a picture")


@dataclass(frozen=True, kw_only=True)
class RequestNames:
    """Describes jobs with the names of scenes and layouts. Two queries, whatever the number of jobs."""

    @cached_property
    def scenes(self) -> Mapping[str, str]:
        return dict(Scene.objects.values_list("key", "name"))

    @cached_property
    def layouts(self) -> Mapping[str, str]:
        return dict(TextLayout.objects.values_list("key", "name"))

    def describe(self, job: ImageJob) -> str:
        """Return what ``job`` was asked for: an edit, layout or scene, language, ratio, size and variant."""
        spec = job.spec if isinstance(job.spec, dict) else {}
        if job.kind != JobKind.IMAGE:
            codes = spec.get("locales")
            names = map(language_name, map(str, codes if isinstance(codes, list) else ()))
            return " · ".join((str(job.get_kind_display()), ", ".join(names)))
        scene, layout, variant = (spec.get(name) for name in ("scene", "layout", "variant"))
        is_photo = spec.get("treatment") == Treatment.PHOTO
        parts = (
            EDIT if spec.get("edit") else "",
            self.layouts.get(str(layout), layout),
            self.scenes.get(str(scene), scene) or (Treatment.PHOTO.label if is_photo else ""),
            language_name(str(spec["locale"])) if spec.get("locale") else "",
            spec.get("ratio"),
            spec.get("size"),
            f"#{variant}" if variant else "",
        )
        return " · ".join(str(part) for part in parts if part)


def attach(jobs: Iterable[ImageJob]) -> list[ImageJob]:
    """Return ``jobs`` with ``requested`` and ``problem``, for templates and list columns."""
    jobs, names = list(jobs), RequestNames()
    for job in jobs:
        job.requested = names.describe(job)
        job.problem = problem_of(job)
    return jobs
