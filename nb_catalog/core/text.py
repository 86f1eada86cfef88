"""Words from outside, made fit for every database's text and JSON columns."""

from __future__ import annotations


def plain(text: str) -> str:
    """``text`` without what a database refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
