"""The state machines of jobs, images and batches, as data: name of the transition -> transition."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JobState(TextChoices):
    QUEUED = "queued", _("Queued")
    LEASED = "leased", _("Taken by a worker")
    CALLING = "calling", _("Being made")
    WAITING = "waiting", _("Waiting to try again")
    SUBMITTED = "submitted", _("In a provider's batch")
    SUCCEEDED = "succeeded", _("Made")
    REFUSED = "refused", _("Refused by the provider")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Outcome unknown")
    CANCELLED = "cancelled", _("Cancelled")


class ImageState(TextChoices):
    PENDING = "pending", _("To review")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    RETIRED = "retired", _("Retired")


class BatchState(TextChoices):
    OPEN = "open", _("Being created")
    SENDING = "sending", _("Being submitted")
    RUNNING = "running", _("With the provider")
    STOPPING = "stopping", _("Being cancelled")
    READY = "ready", _("Results ready")
    DONE = "done", _("Done")


class Transition(NamedTuple):
    """From any of ``sources`` to ``target``."""

    sources: frozenset[str]
    target: str


def _transition(*sources: str, to: str) -> Transition:
    return Transition(frozenset(sources), to)


_J, _I, _B = JobState, ImageState, BatchState

JOB_TRANSITIONS: Final[Mapping[str, Transition]] = MappingProxyType(
    {
        "claim": _transition(_J.QUEUED, to=_J.LEASED),
        "hand_back": _transition(_J.LEASED, to=_J.QUEUED),
        "begin": _transition(_J.LEASED, to=_J.CALLING),
        "give_up": _transition(_J.QUEUED, _J.LEASED, _J.CALLING, to=_J.FAILED),
        "succeed": _transition(_J.CALLING, _J.SUBMITTED, to=_J.SUCCEEDED),
        "refuse": _transition(_J.CALLING, _J.SUBMITTED, to=_J.REFUSED),
        "fail": _transition(_J.CALLING, _J.SUBMITTED, to=_J.FAILED),
        "lose": _transition(_J.CALLING, _J.SUBMITTED, to=_J.UNKNOWN),
        "defer": _transition(_J.CALLING, to=_J.WAITING),
        "promote": _transition(_J.WAITING, to=_J.QUEUED),
        "submit": _transition(_J.QUEUED, to=_J.SUBMITTED),
        "return_from_batch": _transition(_J.SUBMITTED, to=_J.QUEUED),
        "cancel": _transition(_J.QUEUED, _J.WAITING, _J.SUBMITTED, to=_J.CANCELLED),
        "retry": _transition(_J.REFUSED, _J.FAILED, _J.UNKNOWN, _J.CANCELLED, to=_J.QUEUED),
        # Outcomes that arrive after a sweep has taken the call for lost.
        "adopt": _transition(_J.UNKNOWN, to=_J.SUCCEEDED),
        "refuse_late": _transition(_J.UNKNOWN, to=_J.REFUSED),
        "fail_late": _transition(_J.UNKNOWN, to=_J.FAILED),
        "defer_late": _transition(_J.UNKNOWN, to=_J.WAITING),
    }
)

# Transition -> the same for a job that a sweep has taken for lost meanwhile.
LATE_TRANSITIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "succeed": "adopt",
        "refuse": "refuse_late",
        "fail": "fail_late",
        "defer": "defer_late",
    }
)

IMAGE_TRANSITIONS: Final[Mapping[str, Transition]] = MappingProxyType(
    {
        "approve": _transition(_I.PENDING, to=_I.APPROVED),
        "reject": _transition(_I.PENDING, to=_I.REJECTED),
        "retire": _transition(_I.APPROVED, to=_I.RETIRED),
        # Another final of the same draft was chosen.
        "pass_over": _transition(_I.PENDING, to=_I.RETIRED),
        "reconsider": _transition(_I.REJECTED, _I.APPROVED, to=_I.PENDING),
        "restore": _transition(_I.RETIRED, to=_I.APPROVED),
    }
)


def image_moves(source: str, target: str) -> tuple[str, ...]:
    """Return the fewest transitions that lead an image from ``source`` to ``target``, in their order; empty
    if it is there already."""
    ways: dict[str, tuple[str, ...]] = {source: ()}
    queue = [source]
    while target not in ways:
        state = queue.pop(0)
        for name, transition in IMAGE_TRANSITIONS.items():
            if state in transition.sources and transition.target not in ways:
                ways[transition.target] = (*ways[state], name)
                queue.append(transition.target)
    return ways[target]


# "send" is committed before the batch is submitted: a batch in SENDING may have reached the provider.
BATCH_TRANSITIONS: Final[Mapping[str, Transition]] = MappingProxyType(
    {
        "send": _transition(_B.OPEN, to=_B.SENDING),
        "accept": _transition(_B.SENDING, to=_B.RUNNING),
        "stop": _transition(_B.RUNNING, to=_B.STOPPING),
        "finish": _transition(_B.RUNNING, _B.STOPPING, to=_B.READY),
        "close": _transition(_B.OPEN, _B.SENDING, _B.READY, to=_B.DONE),
    }
)

JOB_UNDERWAY: Final = frozenset({_J.QUEUED, _J.LEASED, _J.CALLING, _J.WAITING, _J.SUBMITTED})
# A job with an unknown outcome stays live: requesting the same picture again could be paid for twice.
JOB_LIVE: Final = JOB_UNDERWAY | {_J.UNKNOWN}
