"""Removes API keys and other credentials from text, in every form in which a service repeats them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

REDACTED: Final = "[key]"
# A shorter one is removed only as a word: as part of other words it would make messages unreadable.
_SHORTEST_ANYWHERE: Final = 8
# Base64 of fewer bytes is found in unrelated text.
_SHORTEST_ENCODED: Final = 6

# Credentials by their form, for those that a provider does not know: tokens that a library fetches, and
# keys of a gateway's own account with the service behind it.
_TOKENS: Final = re.compile(
    r"""
      \b(?:AIza|AQ\.)[A-Za-z0-9_-]{30,}                              # Google's API keys
    | \bya29\.[A-Za-z0-9._-]{10,}                                    # Google's access tokens
    | \beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*    # JSON Web Tokens
    | \bsk-[A-Za-z0-9_-]{16,}                                        # OpenAI's keys, and gateways'
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
# Credentials by what precedes them. In other texts than error messages the words have other meanings.
_IN_MESSAGES: Final = re.compile(
    r"""
      (?<=://)[^/\s@]+(?=@)                        # user name and password in a URL
    | (?<![a-z])(?:bearer|basic)\s+(?=\S*\d)[a-z0-9._~+/=-]{8,}
    | (?<=[?&;])(?:api[-_]?)?key=[^&\s"'<>]+
    | (?<=[?&;])(?:(?:access[-_]?)?token|sig|(?:x-goog-)?signature|client[-_]?secret)=[^&\s"'<>]+
    | \bx-(?:goog-)?api-key["']?\s*[:=]\s*["']?[^\s"',;]+
    | \bauthorization["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?[^\s"',;]{8,}
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact_message(text: str, secrets: Iterable[str] = ()) -> str:
    """Return an error message with ``secrets``, and whatever looks like a credential, replaced."""
    return _IN_MESSAGES.sub(REDACTED, redact(text, secrets))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` with ``secrets``, and tokens of the services that are known, replaced by ``[key]``.
    Secrets are also found in URL encoding, base64, hexadecimal and HTML."""
    pattern = _pattern_of(tuple(sorted({each for each in secrets if each})))
    if pattern is not None:
        text = pattern.sub(REDACTED, text)
    return _TOKENS.sub(REDACTED, text)


def secrets_in_url(url: str) -> Iterator[str]:
    """Yield the password and the values of the query in ``url``: a gateway's URL may hold its key."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    if password:
        yield from {password, unquote(password)}
    for pair in parts.query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST_ANYWHERE:
            yield from {value, unquote(value)}


@lru_cache(maxsize=64)
def _pattern_of(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    # The longest first: an encoded form may contain the plain one.
    forms = sorted({form for each in secrets for form in _forms(each)}, key=len, reverse=True)
    # Case is ignored because host names are lower case, and percent encoding may be.
    return re.compile("|".join(forms), re.IGNORECASE) if forms else None


def _forms(secret: str) -> Iterator[str]:
    """Yield regular expressions for ``secret`` as it is, and encoded."""
    encodings = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), escape(secret)}
    encodings |= {secret.replace("/", r"\/"), secret.encode("unicode_escape").decode("ascii")}
    for each in encodings:
        form = re.escape(each)
        yield form if len(each) >= _SHORTEST_ANYWHERE else rf"(?<![\w\[]){form}(?![\w\]])"
    data = secret.encode("utf-8", "surrogatepass")
    if len(data) < _SHORTEST_ENCODED:
        return
    yield data.hex()
    # Base64 depends on where in a group of three bytes the secret begins: "user:key", for example.
    for offset in range(3):
        encoded = b64encode(bytes(offset) + data).decode("ascii")
        core = encoded[(offset * 8 + 5) // 6 : (offset + len(data)) * 8 // 6]
        yield from (re.escape(core), re.escape(core.replace("+", "-").replace("/", "_")))
