"""Downloading a large file that a person asked for, such as a network's weights."""

from __future__ import annotations

import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from hashlib import sha256 as new_sha256
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from nb_catalog.core.text import message
from nb_catalog.exceptions import DownloadFailed

# The name by which the translators' tools find texts.
_ = message

BLOCK: Final = 2**18
SECONDS: Final = 30.0
"""How long a server may be silent."""


def download(
    url: str, *, target: Path, sha256: str, on_progress: Callable[[int, int], None]
) -> None:
    """Store the file at ``url`` as ``target`` if its checksum is ``sha256``, in hexadecimal digits.

    ``target`` is written whole or not at all, and what was there before stays until then. Proxies are
    those of the environment. ``on_progress`` receives the bytes of each block and the size of the file,
    0 if the server does not say it. Raises ``DownloadFailed``.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise DownloadFailed(
            _("%(url)s is not an address that starts with https:// or http://.") % {"url": url}
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            found = _fetch(url, write=file.write, on_progress=on_progress)
            file.flush()
            os.fsync(file.fileno())
        if found != sha256.lower():
            raise DownloadFailed(
                _(
                    "The file at %(url)s has the sha256 %(found)s, expected %(stated)s. It was deleted, and "
                    "nothing was changed."
                )
                % {"url": url, "found": found, "stated": sha256.lower()}
            )
        # mkstemp lets nobody else read it; workers often run as another user.
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _fetch(
    url: str, *, write: Callable[[bytes], object], on_progress: Callable[[int, int], None]
) -> str:
    """Pass the file's blocks to ``write`` and return their sha256. Raises ``DownloadFailed``."""
    checksum = new_sha256()
    received = 0
    try:
        # An opener of its own reads the proxies of the environment again.
        with urllib.request.build_opener().open(url, timeout=SECONDS) as response:
            expected = int(response.headers.get("Content-Length") or 0)
            while block := response.read(BLOCK):
                write(block)
                checksum.update(block)
                received += len(block)
                on_progress(len(block), expected)
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise DownloadFailed(
            _("%(url)s could not be downloaded: %(why)s.") % {"url": url, "why": why}
        ) from error
    # A connection that is cut reads like the end of the file.
    if received < expected:
        raise DownloadFailed(
            _("%(url)s was cut off: %(received)s of %(expected)s bytes arrived. Try again.")
            % {"url": url, "received": received, "expected": expected}
        )
    return checksum.hexdigest()
