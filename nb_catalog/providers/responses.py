"""Reading responses that cannot be trusted: a value of an unexpected type counts as absent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    import aiohttp

MESSAGE_LENGTH: Final = 300
_PAGE: Final = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under ``name``, or an empty one."""
    item = value.get(name)
    return item if isinstance(item, Mapping) else {}


def mappings(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list under ``name``."""
    items = value.get(name)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def text(value: Mapping[str, Any], *names: str) -> str:
    """Return the first string among the values of ``names``, or an empty one."""
    return next((item for name in names if isinstance(item := value.get(name), str)), "")


def is_count(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a number of tokens that fits the database column."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def is_web_page(body: object) -> bool:
    """Whether ``body`` begins like an HTML page."""
    content = body.decode("latin-1") if isinstance(body, bytes) else body
    return isinstance(content, str) and _PAGE.match(content) is not None


def one_line(value: object, *, secret: str = "") -> str:
    """Return a foreign text as one line of at most ``MESSAGE_LENGTH`` characters, with ``secret``
    replaced."""
    line = " ".join(str(value or "").split())
    line = line.replace(secret, "[key]") if secret else line
    return line if len(line) <= MESSAGE_LENGTH else f"{line[: MESSAGE_LENGTH - 1]}…"


async def read_lines(content: aiohttp.StreamReader, *, max_bytes: int) -> AsyncIterator[bytearray]:
    """Yield the non-empty lines of a body as they arrive. A line longer than ``max_bytes`` is cut
    one byte after that length, so that it cannot fill the memory."""
    line = bytearray()
    async for chunk in content.iter_any():
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line += memoryview(chunk)[start : min(end, start + max_bytes - len(line) + 1)]
            if not line.isspace() and line:
                yield line
                # Let other tasks of the loop run.
                await asyncio.sleep(0)
            line = bytearray()
            start = end + 1
        line += memoryview(chunk)[start : start + max(0, max_bytes - len(line) + 1)]
    if not line.isspace() and line:
        yield line
