"""What a plan knows of the photos that products have to be cut out of, before anything is started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.types import Photo, PhotoKind
from nb_catalog.cutouts import StoredCutout
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.photos import photo_key
from nb_catalog.registry import CatalogSource, photo_kind_of

# An object's key and the key of one of its photos.
CutoutTable: TypeAlias = Mapping[tuple[str, str], StoredCutout]

# Photos without a cut-out that a plan remembers: they can be cut out before anything is started.
MOST_REQUESTED: Final = 200
# Photos that a plan shows, of each state.
MOST_SHOWN: Final = 24


@dataclass(slots=True)
class PhotoReport:
    """The photos of one pass over a plan, by the state of their cut-outs.

    ``counts`` has states of ``CutoutState``; those that nobody has looked at yet count as "requested".
    ``refused`` and ``doubtful`` are the first cut-outs that a person should look at, ``unseen`` the first
    photos without one.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    unseen: list[tuple[Model, Photo]] = field(default_factory=list)

    def clear(self) -> None:
        for each in (self.counts, self.refused, self.doubtful, self.unseen):
            each.clear()

    def add(self, product: Model, photo: Photo, cutout: StoredCutout | None) -> None:
        if cutout is None or cutout.state == CutoutState.REQUESTED:
            self.counts[CutoutState.REQUESTED] += 1
            if cutout is None and len(self.unseen) < MOST_REQUESTED:
                self.unseen.append((product, photo))
            return
        self.counts[cutout.state] += 1
        shown = {CutoutState.REFUSED: self.refused, CutoutState.DOUBTFUL: self.doubtful}
        keys = shown.get(cutout.state)
        if keys is not None and len(keys) < MOST_SHOWN:
            keys.append(cutout.pk)


def cutouts_of(source: CatalogSource, products: Sequence[Model]) -> CutoutTable:
    """Return the cut-outs of the photos of ``products``. One query."""
    rows = PhotoCutout.objects.about_any(source.model, [str(product.pk) for product in products])
    return {(row.object_id, row.key): StoredCutout.of(row) for row in rows}


def kind_of(product: Model, photo: Photo, cutout: StoredCutout | None) -> str:
    """Return the kind of ``photo``: a person's decision, otherwise what the shop says, otherwise ""."""
    return (cutout.kind if cutout is not None else "") or photo_kind_of(product, photo)


def cutout_in(table: CutoutTable, product: Model, photo: Photo) -> StoredCutout | None:
    return table.get((str(product.pk), photo_key(photo)))


def require_usable(kind: str, cutout: StoredCutout | None) -> None:
    """Raise ``CutoutRefused`` if no picture with the product's own pixels can be made of a photo."""
    if kind == PhotoKind.LIFESTYLE:
        raise CutoutRefused(
            _(
                "The photo shows the product in use and is left as it is. Put text on the photo itself, "
                "make another photo of the product the first one, or use the painted treatment."
            )
        )
    if kind != PhotoKind.FULL_FRAME and cutout is not None and cutout.state == CutoutState.REFUSED:
        raise CutoutRefused(cutout.problem)
