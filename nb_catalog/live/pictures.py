"""Events about pictures for pages: made, decided about, published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from nb_catalog.live.rows import Row, RowFeed, Table
from nb_catalog.models import PlacementEvent, ProductImage, ReviewEvent
from nb_catalog.models.images import ImageKind


def made_pictures() -> QuerySet[ProductImage]:
    return ProductImage.objects.filter(kind=ImageKind.PICTURE)


def _made(rows: QuerySet[Any]) -> Iterator[Row]:
    for image in rows.values("pk", "created_at", "state", "series"):
        data = {"change": "made", "image": image["pk"], "state": image["state"]}
        yield _row("m", image["pk"], image["created_at"], image["series"], data)


def _decided(rows: QuerySet[Any]) -> Iterator[Row]:
    for event in rows.values("pk", "at", "move", "state", "image_id", "image__series"):
        data = {"change": event["move"], "image": event["image_id"], "state": event["state"]}
        yield _row("d", event["pk"], event["at"], event["image__series"], data)


def _placed(rows: QuerySet[Any]) -> Iterator[Row]:
    of_series = Coalesce(F("image_after__series"), F("image_before__series"))
    for event in rows.values(
        "pk", "at", "move", "slot", "locale", "position", "image_after_id", "image_before_id",
        of_series=of_series,
    ):  # fmt: skip
        data = {
            "change": event["move"],
            "image": event["image_after_id"],
            "before": event["image_before_id"],
            **{name: event[name] for name in ("slot", "locale", "position")},
        }
        yield _row("p", event["pk"], event["at"], event["of_series"], data)


def _row(letter: str, pk: int, at: datetime, series: str | None, data: Mapping[str, Any]) -> Row:
    return Row(letter=letter, pk=pk, at=at, name="picture", series=series or "", data=data)


PLACED: Final = "p"


class PictureFeed(RowFeed):
    """``picture`` events. With ``series``, its pictures only."""

    key = "pictures"
    tables = (
        Table(letter="m", rows=made_pictures, at="created_at", read=_made),
        Table(letter="d", rows=ReviewEvent.objects.all, at="at", read=_decided),
        Table(letter=PLACED, rows=PlacementEvent.objects.all, at="at", read=_placed),
    )

    def __init__(self, *, series: str = "", with_placements: bool = True) -> None:
        super().__init__()
        self.series = series
        self.with_placements = with_placements

    def is_wanted(self, row: Row) -> bool:
        return self.series in ("", row.series) and (self.with_placements or row.letter != PLACED)
