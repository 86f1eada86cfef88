"""Batch items: each has one request line and, unless it is faulty, one result line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nb_catalog.core.text import nearest
from nb_catalog.testing.gemini import validation
from nb_catalog.testing.gemini.answers import GOOGLE_RPC, picture_json
from nb_catalog.testing.gemini.drawing import Drawer, PictureRequest
from nb_catalog.testing.gemini.faults import FAULTS, Rate

# The error of one item: nothing was made. Some parsers fail on Google's details.
ITEM_ERROR: Final[Mapping[str, Any]] = {
    "code": 13,
    "message": "Internal error encountered.",
    "details": [{"@type": f"{GOOGLE_RPC}.DebugInfo", "detail": "An item of its own."}],
}
LINE_FAULTS: Final = frozenset({"item_error", "missing", "twice", "malformed_line"})


@dataclass(frozen=True, kw_only=True)
class BatchScript:
    """The course of the next batch.

    ``state`` is its final state, with or without Google's prefix, and may be an unknown one.
    ``seconds`` is its duration (None: the server's default); a ``stuck`` batch runs until it is
    cancelled or expires after 48 hours. ``items`` has faults of single items: index or key -> a name
    from ``FAULTS``, "item_error", "missing", "twice" or "malformed_line"; ``rate`` draws others at
    random. Raises ``ValueError`` for an unknown fault.
    """

    state: str = "SUCCEEDED"
    seconds: float | None = None
    stuck: bool = False
    items: Mapping[int | str, str] = field(default_factory=dict)
    rate: Rate | None = None
    shuffled: bool = False

    def __post_init__(self) -> None:
        known = {*FAULTS, *LINE_FAULTS}
        for name in self.items.values():
            if name not in known:
                raise ValueError(f"There is no fault {name!r}.{nearest(name, known)}")


@dataclass(slots=True)
class Item:
    """One request of the batch called ``batch``. ``problem`` is the error that it gets as its result."""

    batch: str
    key: str
    request: PictureRequest | None
    fault: str = ""
    problem: Mapping[str, Any] | None = None


def parse_item(
    line: Any, *, index: int, batch: str, model: str, script: BatchScript, rules: validation.Rules
) -> Item:
    """Return the item in a line of a request file, with its fault from ``script``."""
    request = line.get("request") if isinstance(line, dict) else None
    if not isinstance(request, dict):
        bad = {"code": 3, "message": f"Line {index + 1} is not a request."}
        return Item(batch, str(index), request=None, problem=bad)
    key = str(line.get("key", index))
    name = script.items.get(key) or script.items.get(index) or ""
    if not name and script.rate is not None and (fault := script.rate.draw(index)):
        name = fault.name
    item = Item(batch, key, request=PictureRequest(request, model=model), fault=name)
    objections = validation.objections(request, model=model, rules=rules)
    if objections:
        item.problem = {"code": 3, "message": " ".join(objections)}
    elif name == "item_error":
        item.problem = ITEM_ERROR
    elif (kind := FAULTS.get(name)) is not None and not kind.billed:
        # The fault of a single call as the error of a batch item.
        try:
            item.problem = json.loads(kind.answer.body or b"{}")["error"]
        except (ValueError, KeyError):
            item.problem = ITEM_ERROR
    return item


def item_usage(item: Item) -> Mapping[str, Any]:
    """Return the tokens that an item used; empty if no work was done."""
    if item.problem is not None or item.request is None:
        return {}
    good = picture_json(b"", model=item.request.model, usage=item.request.usage())
    changed = _changed(item, good)
    return changed.get("usageMetadata") or good["usageMetadata"]  # type: ignore[no-any-return]


def reports_usage(item: Item) -> bool:
    """Whether a processed item's line reports its usage. Transport faults of single calls do not
    happen to batches."""
    if item.fault in {"missing", "malformed_line"}:
        return False
    kind = FAULTS.get(item.fault)
    return kind is None or kind.reports_usage or kind.answer.change is None


def result_lines(item: Item, *, drawer: Drawer) -> Iterator[bytes]:
    """Yield the lines of the result: one for most items."""
    if item.fault == "missing":
        return
    if item.fault == "malformed_line":
        yield b'{"key": "' + item.key.encode() + b'", "response": {\n'
        return
    if item.problem is not None or item.request is None:
        result: dict[str, Any] = {"key": item.key, "error": item.problem}
    else:
        good = picture_json(
            drawer.picture(item.request, unique_id=f"{item.batch}.{item.key}"),
            mime_type=drawer.mime_type,
            model=item.request.model,
            usage=item.request.usage(),
            response_id=f"batch-{item.key}",
        )
        result = {"key": item.key, "response": _changed(item, good)}
    line = json.dumps(result).encode() + b"\n"
    yield line
    if item.fault == "twice":
        yield line


def _changed(item: Item, good: dict[str, Any]) -> dict[str, Any]:
    kind = FAULTS.get(item.fault)
    changed = kind.answer.change(good) if kind and kind.answer.change else good
    return changed if isinstance(changed, dict) else {}
