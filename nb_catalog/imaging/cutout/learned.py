"""Cutting products out with a segmentation network, on plain backgrounds together with their colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from django.core.checks import CheckMessage, Error
from PIL import Image

from nb_catalog.core.text import message
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import alpha as transparency
from nb_catalog.imaging.cutout import fusion, masks
from nb_catalog.imaging.cutout.background import Floats
from nb_catalog.imaging.cutout.base import CutoutBackend
from nb_catalog.imaging.cutout.classical import (
    MAX_SHARE,
    Ground,
    examine_ground,
    find_certain_mask,
    refusal,
)
from nb_catalog.imaging.cutout.edge import enlarge
from nb_catalog.imaging.cutout.network import Network, NetworkUnusable
from nb_catalog.imaging.cutout.types import FoundMask, Method
from nb_catalog.imaging.cutout.weights import family_of_checksum

# The name by which the translators' tools find texts.
_ = message

VERSION: Final = 2
"""Counts changes of this module after which other masks are found."""
SPECK: Final = 0.003
LEAST_SHARE: Final = 0.002
SMALL_SHARE: Final = 0.01
MOST_SIDES: Final = 3
# A pair on a plain ground is one product; two things in a room are two.
MOST_PIECES, MOST_PIECES_IN_ROOM = 2, 1
MOST_RIM: Final = 0.02
# Calibrated on flattened photos of some products and measured on others: see docs/cutouts.md.
CONFIDENCE, UNCERTAIN, VISIBLE = 0.93, 0.1, 0.85
CONFIDENCE_IN_ROOM, UNCERTAIN_IN_ROOM, VISIBLE_IN_ROOM = 0.95, 0.05, 0.9
# White on white has no visible outline, and the network finds it all the same: where it is more
# confident, and the colours do not contradict it.
CONFIDENCE_UNSEEN, AGREEMENT_UNSEEN, VISIBLE_AT_LEAST = 0.94, 0.97, 0.6
# Below, the network contradicts the classical way, which has taken shadows for products then.
CONFIDENCE_BY_COLOUR: Final = 0.85
AGREEMENT_BY_COLOUR: Final = 0.97
SAME_AT_BOTH_SIZES: Final = 0.95
CHECK_IDS: Final = {
    "package": "nb_catalog.E047",
    "missing": "nb_catalog.E048",
    "checksum": "nb_catalog.E049",
    "graph": "nb_catalog.E050",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A mask at the ground's size, 0..1, and what there is to say about it."""

    soft: Floats = field(repr=False)
    method: Method
    score: float
    reasons: tuple[str, ...]
    confidence: float = 1.0


class NetworkCutout(CutoutBackend):
    """Cuts products out of any photo with ISNet, U-2-Net or BiRefNet.

    ``path`` is an ONNX file, ``sha256`` its checksum, which is verified before it is opened: a file that
    somebody exchanged would otherwise run. ``threads`` bounds the cores that one photo uses. ``family``
    is needed only for a graph that is not recognised.
    """

    def __init__(self, *, path: str, sha256: str, threads: int = 2, family: str = "") -> None:
        self.network = Network(Path(path), checksum=sha256, family=family, threads=threads)
        name = family or family_of_checksum(self.network.checksum) or "network"
        self.maker = f"{name}@{self.network.checksum[:8]}/{VERSION}"

    def find_mask(self, view: Image.Image) -> FoundMask:
        """Return the product's mask: on a plain background by the network and the colours, otherwise by
        the network alone, which is never certain.

        The network sees the photo at a small size first, and at its full one if the result is doubtful.
        Raises ``CutoutRefused`` if there is nothing to show, ``InvalidSettings`` if the network cannot
        be run.
        """
        if transparency.has_outline(view):
            return transparency.find_product(view)
        photo = view if view.mode == "RGB" else view.convert("RGB")
        ground = examine_ground(photo)
        judgement = self._judge(photo, ground)
        if judgement.method == "network":
            levels = np.rint(judgement.soft * 255).astype(np.uint8)
            mask = cv2.resize(levels, photo.size, interpolation=cv2.INTER_LINEAR)
        else:
            mask = enlarge(judgement.soft > fusion.PROBABLY, size=photo.size)
        return FoundMask(
            alpha=np.asarray(mask, np.uint8),
            method=judgement.method,
            maker=self.maker,
            score=round(judgement.score, 3),
            reasons=judgement.reasons,
            is_plain=ground.is_plain,
        )

    def _judge(self, photo: Image.Image, ground: Ground) -> Judgement:
        first, *others = self.network.sides()
        found = [self.network.find(photo, side=first)]
        looks = [judge(found[0], ground)]
        best = looks[0]
        if best is not None and not _is_doubtful(best):
            return best
        for side in others:
            # Its session holds more memory than the rest of a worker, and doubts are rare.
            found.append(self.network.find(photo, side=side, keep=False))
            looks.append(judge(found[-1], ground))
            best = _better_of(*looks, ground=ground, found=found)
        # About a thing that it does not know, the network is confident at one size at most.
        knows = all(look and look.confidence >= CONFIDENCE_BY_COLOUR for look in looks)
        if best is not None and _is_doubtful(best) and ground.is_plain and knows:
            best = _by_colour(best, ground=ground) or best
        if best is None:
            if float((found[0] > fusion.PROBABLY).mean()) < LEAST_SHARE:
                raise refusal(_("The network finds no product in the photo."))
            raise refusal(
                _("The product fills the photo to its borders, so no background is visible.")
            )
        return best

    def check(self) -> Sequence[CheckMessage]:
        """Return an error if the network cannot be run: the package or the file is missing, the file is
        another one or cut off, or its graph is of no known family."""
        try:
            self.network.verify()
        except NetworkUnusable as error:
            hint = _(
                "Run manage.py nb_cutout install isnet, and paste the settings that it prints."
            )
            return [Error(str(error), hint=hint, id=CHECK_IDS[error.code])]
        return ()

    def describe(self) -> str:
        return _(
            "Products in any photo, with the network %(file)s: certain on plain backgrounds, to be "
            "confirmed elsewhere."
        ) % {"file": self.network.path.name}


def judge(found: Floats, ground: Ground) -> Judgement | None:
    """Return the mask that follows from what a network ``found``, and the doubts about it; None if it
    shows next to nothing, everything, or something that the photo's border cuts on most sides."""
    height, width = ground.colours.shape[:2]
    shrinks = found.shape[0] > max(height, width)
    here = cv2.resize(
        found, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    probabilities = np.asarray(here, np.float32)
    may_have_hole = False
    if ground.is_plain:
        fused, may_have_hole = fusion.fuse(probabilities, ground)
        mask = masks.remove_specks(fused, share=SPECK)
        soft = mask.astype(np.float32)
    else:
        mask = masks.remove_specks(probabilities > fusion.PROBABLY, share=SPECK)
        soft = np.where(masks.dilate(mask, by=2), probabilities, np.float32(0))
    if not LEAST_SHARE < float(mask.mean()) < MAX_SHARE:
        return None
    signals = fusion.measure(found, mask, ground=ground)
    if signals.sides >= MOST_SIDES:
        return None
    return Judgement(
        soft=soft,
        method="fused" if ground.is_plain else "network",
        score=signals.confidence * max(0.0, 1 - signals.uncertain),
        reasons=(
            *_doubts(signals, is_plain=ground.is_plain),
            *(["holes"] if may_have_hole else []),
        ),
        confidence=signals.confidence,
    )


def _doubts(signals: fusion.Signals, *, is_plain: bool) -> Iterator[str]:
    if not is_plain:
        yield "room"
    confidence = CONFIDENCE if is_plain else CONFIDENCE_IN_ROOM
    uncertain = UNCERTAIN if is_plain else UNCERTAIN_IN_ROOM
    if signals.confidence < confidence or signals.uncertain > uncertain:
        yield "unsure"
    if signals.visible < (VISIBLE if is_plain else VISIBLE_IN_ROOM) and not (
        is_plain
        and signals.confidence >= CONFIDENCE_UNSEEN
        and signals.agreement >= AGREEMENT_UNSEEN
        and signals.visible >= VISIBLE_AT_LEAST
    ):
        yield "outline"
    if signals.rim > MOST_RIM:
        yield "touches_frame"
    if signals.pieces > (MOST_PIECES if is_plain else MOST_PIECES_IN_ROOM):
        yield "several_pieces"
    if signals.share < SMALL_SHARE:
        yield "small"


def _is_doubtful(judgement: Judgement) -> bool:
    """Return whether a second look may help: a room stays a room at every size."""
    return bool({"unsure", "outline"} & set(judgement.reasons))


def _better_of(
    first: Judgement | None, second: Judgement | None, *, ground: Ground, found: Sequence[Floats]
) -> Judgement | None:
    """Return the judgement without doubts, otherwise the one with the higher score."""
    side = found[0].shape[0]
    reduced = cv2.resize(found[1], (side, side), interpolation=cv2.INTER_AREA)
    mean = judge(np.asarray((found[0] + reduced) / 2, np.float32), ground)
    candidates = [each for each in (second, mean, first) if each is not None]
    if not candidates:
        return None
    best = max(candidates, key=lambda each: (not _is_doubtful(each), each.score))
    same = masks.overlap(found[0] > fusion.PROBABLY, reduced > fusion.PROBABLY)
    if _is_doubtful(best) and same < SAME_AT_BOTH_SIZES:
        return replace(best, reasons=(*best.reasons, "sizes_disagree"))
    return best


def _by_colour(doubtful: Judgement, *, ground: Ground) -> Judgement | None:
    """Return the classical mask in place of a ``doubtful`` one, if its own tests pass and the network does
    not contradict it; otherwise None."""
    try:
        mask, score = find_certain_mask(ground)
    except CutoutRefused:
        return None
    if masks.overlap(mask, doubtful.soft > fusion.PROBABLY) < AGREEMENT_BY_COLOUR:
        return None
    others = tuple(
        each for each in doubtful.reasons if each not in {"unsure", "outline", "sizes_disagree"}
    )
    return Judgement(soft=mask.astype(np.float32), method="classical", score=score, reasons=others)
