"""Votes on experiments: what a person is shown, in an order that gives nothing away, and what they choose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import JOB_UNDERWAY
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.renditions import derive
from nb_catalog.models import Experiment, ExperimentPair, ExperimentVote, ImageJob, ProductImage
from nb_catalog.models.experiments import Arm, VoteChoice
from nb_catalog.models.images import ImageKind

PICTURE_WIDTH: Final = 960
# Seconds that the file of a ballot is cached.
PICTURE_KEPT: Final = 24 * 3600


class Side(StrEnum):
    """What a voter chooses: the picture on one side, or neither."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A product with both of its pictures, as one voter sees it; ``choice`` is what they chose so far."""

    pair: ExperimentPair
    left: ProductImage
    right: ProductImage
    choice: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballots:
    """The products that can be voted on, in the voter's own order. Of ``waiting`` ones a picture is being
    made; ``missing`` ones lack a picture and are skipped."""

    ready: tuple[Ballot, ...]
    waiting: int
    missing: int

    @property
    def voted(self) -> int:
        return sum(each.choice is not None for each in self.ready)

    @property
    def is_complete(self) -> bool:
        """Whether the voter has chosen for every product that can be voted on, and no picture is awaited."""
        return bool(self.ready) and self.voted == len(self.ready) and not self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPictures:
    """What there is of a pair: its pictures by arm, and whether one of them is being made."""

    pair: ExperimentPair
    pictures: dict[Arm, ProductImage]
    is_underway: bool

    @property
    def is_ready(self) -> bool:
        return len(self.pictures) == len(Arm)


def pictures_of(experiment: Experiment) -> list[PairPictures]:
    """Return what there is of each pair, in their order. Three queries.

    A picture counts whatever was decided about it since, as long as its file is there.
    """
    pairs = list(experiment.pairs.order_by("position"))
    wanted = {each.fingerprint(arm) for each in pairs for arm in Arm}
    images: dict[str, ProductImage] = {}
    # The first one of a fingerprint, so that a vote stays about the picture that was seen.
    rows = ProductImage.objects.filter(
        kind=ImageKind.PICTURE, pruned_at=None, fingerprint__in=wanted
    )
    for image in rows.defer("provenance").order_by("pk"):
        images.setdefault(image.fingerprint, image)
    # A job with an unknown outcome keeps its key too, and makes nothing until a person decides.
    underway = ImageJob.objects.filter(live_key__in=wanted, state__in=JOB_UNDERWAY)
    live = set(underway.values_list("live_key", flat=True))
    found = []
    for pair in pairs:
        prints = {arm: pair.fingerprint(arm) for arm in Arm}
        found.append(
            PairPictures(
                pair=pair,
                pictures={arm: images[key] for arm, key in prints.items() if key in images},
                is_underway=any(key in live and key not in images for key in prints.values()),
            )
        )
    return found


def ballots_of(experiment: Experiment, *, voter: Actor) -> Ballots:
    """Return what ``voter`` is shown. Four queries.

    Which picture is on the left, and in which order the products come, follows from a keyed hash of voter and
    product: the same on every visit, and different for everyone.
    """
    chosen = dict(
        ExperimentVote.objects.filter(pair__experiment=experiment, voter=voter).values_list(
            "pair", "choice"
        )
    )
    pairs = pictures_of(experiment)
    ready = sorted(
        (each for each in pairs if each.is_ready), key=lambda each: _digest(each.pair, voter)[1:]
    )
    ballots = []
    for each in ready:
        left, right = sides_of(each.pair, voter=voter)
        choice = chosen.get(each.pair.pk)
        side: Side | None = None
        if choice == VoteChoice.TIE:
            side = Side.TIE
        elif choice:
            side = Side.LEFT if choice == left else Side.RIGHT
        ballots.append(
            Ballot(
                pair=each.pair,
                left=each.pictures[left],
                right=each.pictures[right],
                choice=side,
            )
        )
    waiting = sum(each.is_underway for each in pairs if not each.is_ready)
    return Ballots(
        ready=tuple(ballots), waiting=waiting, missing=len(pairs) - len(ballots) - waiting
    )


def sides_of(pair: ExperimentPair, *, voter: Actor) -> tuple[Arm, Arm]:
    """Return the arms that ``voter`` sees on the left and on the right."""
    return (Arm.A, Arm.B) if _digest(pair, voter)[0] & 1 else (Arm.B, Arm.A)


def picture_on(pair: ExperimentPair, side: Side, *, voter: Actor) -> ProductImage | None:
    """Return the picture that ``voter`` sees on ``side``; None if there is none. One query."""
    left, right = sides_of(pair, voter=voter)
    rows = ProductImage.objects.filter(
        kind=ImageKind.PICTURE,
        pruned_at=None,
        fingerprint=pair.fingerprint(left if side == Side.LEFT else right),
    )
    return rows.order_by("pk").first()


def ballot_file(image: ProductImage) -> bytes:
    """Return ``image`` as a WebP file, ``PICTURE_WIDTH`` pixels wide or less, with its provenance mark.

    It has no other metadata. Raises ``PictureError``, ``StorageFailed``.
    """

    def render() -> bytes:
        renditions = derive(
            storage.read(image.file.name or ""),
            widths=[PICTURE_WIDTH],
            formats=["webp"],
            xmp=xmp_packet(DigitalSourceType(image.digital_source_type)),
            **picture_limits(),
        )
        return next(renditions).data

    key = f"nb_catalog:ballot:{image.sha256}"
    return cast(bytes, cache.get_or_set(key, render, PICTURE_KEPT))


def vote(pair: ExperimentPair, side: Side, *, voter: Actor) -> ExperimentVote:
    """Note what ``voter`` chose for the product of ``pair``, in place of what they chose before.

    Raises ``InvalidTransition`` once the experiment is closed, ``RequestRefused`` if a picture is missing.
    """
    left, right = sides_of(pair, voter=voter)
    choice = {Side.LEFT: VoteChoice(left), Side.RIGHT: VoteChoice(right), Side.TIE: VoteChoice.TIE}
    with transaction.atomic():
        # Locked, so that nobody closes it between the check and the vote.
        is_open = Experiment.objects.select_for_update().filter(
            pk=pair.experiment_id, closed_at=None
        )
        if not is_open.exists():
            raise InvalidTransition(_("This experiment is closed. No more votes are counted."))
        if any(picture_on(pair, each, voter=voter) is None for each in (Side.LEFT, Side.RIGHT)):
            raise RequestRefused(_("One of the two pictures of this product does not exist (yet)."))
        row, _created = ExperimentVote.objects.update_or_create(
            pair=pair, voter=voter, defaults={"choice": choice[side]}
        )
    return row


def close_experiment(experiment: Experiment) -> None:
    """Open -> closed: votes are final, and everyone may see the result. Raises ``InvalidTransition``."""
    rows = Experiment.objects.filter(pk=experiment.pk, closed_at=None)
    if not rows.update(closed_at=timezone.now()):
        raise InvalidTransition(_("This experiment is closed already."))
    experiment.refresh_from_db()


def may_see_result(user: Actor, experiment: Experiment) -> bool:
    """Return whether ``user`` may see the votes of others, and which picture is of which scene: after it was
    closed, or if they may close it. Until then votes can be changed, and are to stay blind.
    """
    if experiment.closed_at is not None:
        return True
    return may(user, Action.CLOSE_EXPERIMENT, owner=experiment.actor_id)


def _digest(pair: ExperimentPair, voter: Actor) -> bytes:
    return salted_hmac("nb_catalog.votes", f"{pair.pk}:{voter.pk}", algorithm="sha256").digest()
