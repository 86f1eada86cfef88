"""The items of a batch: one request each, and one line of answer, if nothing goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nb_catalog.core.text import nearest
from nb_catalog.testing.gemini import strict
from nb_catalog.testing.gemini.answers import GOOGLE_RPC, picture_json
from nb_catalog.testing.gemini.drawing import Drawer, Wanted
from nb_catalog.testing.gemini.faults import FAULTS, Rate

# An item's own error: nothing was made, and Google's details are what some readers stumble over.
ITEM_ERROR: Final[Mapping[str, Any]] = {
    "code": 13,
    "message": "Internal error encountered.",
    "details": [{"@type": f"{GOOGLE_RPC}.DebugInfo", "detail": "An item of its own."}],
}
LINE_FAULTS: Final = frozenset({"item_error", "missing", "twice", "malformed_line"})


@dataclass(frozen=True, kw_only=True)
class BatchScript:
    """How the next batch goes.

    ``state`` is its end, with or without Google's prefix, and may be a word that nobody knows.
    ``seconds`` until then (None: the server's own); ``stuck``: for ever, until it is cancelled or
    48 hours have passed. ``items`` spoils single ones: by place or key, a name from ``FAULTS`` or
    one of "item_error", "missing", "twice", "malformed_line"; ``rate`` spoils others at random.
    Raises ``ValueError`` for a fault that there is not.
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
    """One request of a batch, which is called ``batch``. ``problem`` is why it can have no answer."""

    batch: str
    key: str
    wanted: Wanted | None
    fault: str = ""
    problem: Mapping[str, Any] | None = None


def item_in(
    line: Any, *, place: int, batch: str, model: str, script: BatchScript, insists_on_store: bool
) -> Item:
    """The item in a line of a file of requests, with what ``script`` has in store for it."""
    request = line.get("request") if isinstance(line, dict) else None
    if not isinstance(request, dict):
        bad = {"code": 3, "message": f"Line {place + 1} is no request."}
        return Item(batch, str(place), wanted=None, problem=bad)
    key = str(line.get("key", place))
    name = script.items.get(key) or script.items.get(place) or ""
    if not name and script.rate is not None and (drawn := script.rate.drawn(place)):
        name = drawn.name
    item = Item(batch, key, wanted=Wanted(request, model=model), fault=name)
    said = strict.objections(request, model=model, insists_on_store=insists_on_store)
    if said:
        item.problem = {"code": 3, "message": " ".join(said)}
    elif name == "item_error":
        item.problem = ITEM_ERROR
    elif name not in LINE_FAULTS:
        item.problem = _error_of(name)
    return item


def usage_of(item: Item) -> Mapping[str, Any]:
    """What an item was worked on for; empty when it was not."""
    if item.problem is not None or item.wanted is None:
        return {}
    good = picture_json(b"", model=item.wanted.model, usage=item.wanted.usage())
    changed = _changed(item, good)
    return changed.get("usageMetadata") or good["usageMetadata"]  # type: ignore[no-any-return]


def is_told(item: Item) -> bool:
    """Whether a worked item's line says what it used. What goes wrong on a single call's way, and
    not in its answer, does not happen to a batch."""
    if item.fault in {"missing", "malformed_line"}:
        return False
    kind = FAULTS.get(item.fault)
    return kind is None or kind.told or kind.answer.change is None


def lines_of(item: Item, *, drawer: Drawer) -> Iterator[bytes]:
    """The lines of the result: one for most items."""
    if item.fault == "missing":
        return
    if item.fault == "malformed_line":
        yield b'{"key": "' + item.key.encode() + b'", "response": {\n'
        return
    if item.problem is not None or item.wanted is None:
        said: dict[str, Any] = {"key": item.key, "error": item.problem}
    else:
        good = picture_json(
            drawer.picture(item.wanted, own=f"{item.batch}.{item.key}"),
            mime_type=drawer.mime_type,
            model=item.wanted.model,
            usage=item.wanted.usage(),
            response_id=f"batch-{item.key}",
        )
        said = {"key": item.key, "response": _changed(item, good)}
    line = json.dumps(said).encode() + b"\n"
    yield line
    if item.fault == "twice":
        yield line


def _changed(item: Item, good: dict[str, Any]) -> dict[str, Any]:
    kind = FAULTS.get(item.fault)
    changed = kind.answer.change(good) if kind and kind.answer.change else good
    return changed if isinstance(changed, dict) else {}


def _error_of(name: str) -> Mapping[str, Any] | None:
    """The error that a fault of a single call is for an item of a batch."""
    kind = FAULTS.get(name)
    if kind is None or kind.billed:
        return None
    try:
        error: Mapping[str, Any] = json.loads(kind.answer.body or b"{}")["error"]
    except (ValueError, KeyError):
        return ITEM_ERROR
    return error
