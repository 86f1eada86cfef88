"""Everything that a service says is cleaned here, once, on its way from a provider into the app.

``Provider`` and ``TextProvider`` wrap their subclasses' methods with ``sanitized``. What they return or
raise can therefore be stored, logged and displayed: it contains no credentials, no control characters
and no lone surrogates, whatever the service and whichever provider.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any, Final, TypeVar

from nb_catalog.core.text import shorten, strip_unstorable, visible_message
from nb_catalog.exceptions import NBCatalogError, ProviderError
from nb_catalog.providers.redaction import redact, redact_message
from nb_catalog.providers.types import Payload, RawResponse

T = TypeVar("T")

# Characters. An error's own advice precedes what the service says, which is cut.
MESSAGE_LENGTH: Final = 500
_REASON_LENGTH: Final = 64
# Fields of results that are one line.
_LINES: Final = {"mime_type": 64, "model_version": 120, "request_id": 128, "error": MESSAGE_LENGTH}
_MARK: Final = "_is_sanitized"
_SECRET_NAME: Final = re.compile(r"key|token|secret|password", re.IGNORECASE)


def secret_attributes(value: object) -> tuple[str, ...]:
    """Return the strings in attributes of ``value`` that are named like a secret: ``api_key``, ``token``."""
    attributes = getattr(value, "__dict__", {})
    return tuple(
        each
        for name, each in attributes.items()
        if isinstance(each, str) and _SECRET_NAME.search(name)
    )


def sanitize_methods(cls: type, names: Iterable[str]) -> None:
    """Wrap those methods ``names`` of ``cls`` that it defines or has from a mixin."""
    for name in names:
        method = inspect.getattr_static(cls, name, None)
        if not inspect.isfunction(method) or getattr(method, "__isabstractmethod__", False):
            continue
        if not hasattr(method, _MARK):
            wrapper = _wrap(method)
            setattr(wrapper, _MARK, True)
            setattr(cls, name, wrapper)


def _wrap(method: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(method):

        @wraps(method)
        async def generate(self: Any, *args: Any, **options: Any) -> Any:
            try:
                # Closed with this generator, because it may hold a connection.
                async with aclosing(method(self, *args, **options)) as items:
                    async for item in items:
                        yield sanitize(item, self.secrets)
            except Exception as error:
                sanitize_error(error, self.secrets)
                raise

        return generate
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def call(self: Any, *args: Any, **options: Any) -> Any:
            try:
                return sanitize(await method(self, *args, **options), self.secrets)
            except Exception as error:
                sanitize_error(error, self.secrets)
                raise

        return call

    @wraps(method)
    def run(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return sanitize(method(self, *args, **options), self.secrets)
        except Exception as error:
            sanitize_error(error, self.secrets)
            raise

    return run


def sanitize(value: T, secrets: Iterable[str]) -> T:
    """Return ``value`` with every text in it cleaned. Requests, and responses that have not been parsed,
    are not text."""
    result: Any = value
    if isinstance(value, NBCatalogError):
        sanitize_error(value, secrets)
    elif isinstance(value, str):
        result = redact(strip_unstorable(value), secrets)
    elif isinstance(value, Payload | RawResponse | bytes):
        pass
    elif is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for field in fields(value):
            old = getattr(value, field.name)
            new = sanitize(old, secrets)
            if field.name in _LINES and isinstance(new, str):
                new = _line(new, secrets, _LINES[field.name])
            if new is not old:
                changes[field.name] = new
        result = replace(value, **changes) if changes else value
    elif isinstance(value, Mapping):
        result = {sanitize(key, secrets): sanitize(each, secrets) for key, each in value.items()}
    elif isinstance(value, list):
        result = [sanitize(each, secrets) for each in value]
    elif isinstance(value, tuple) and type(value) is tuple:
        result = tuple(sanitize(each, secrets) for each in value)
    return result  # type: ignore[no-any-return]


def sanitize_error(error: BaseException, secrets: Iterable[str]) -> None:
    """Clean the texts of ``error`` and of the errors that caused it, in place: tracebacks are logged."""
    secrets = tuple(secrets)
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        pending += [each.__cause__, each.__context__]
        if isinstance(each, ProviderError):
            each.args = (_line(each, secrets, MESSAGE_LENGTH),)
            each.reason = _line(each.reason, secrets, _REASON_LENGTH)
            each.model_version = _line(each.model_version, secrets, _LINES["model_version"])
            each.request_id = _line(each.request_id, secrets, _LINES["request_id"])
        elif any(isinstance(arg, str) for arg in each.args):
            each.args = tuple(
                redact_message(strip_unstorable(arg), secrets) if isinstance(arg, str) else arg
                for arg in each.args
            )


def _line(text: object, secrets: Iterable[str], length: int) -> str:
    # Hidden characters are removed before, because they may divide a key, and it is cut afterwards,
    # because half a key would not be found.
    return shorten(redact_message(visible_message(text), secrets), length)
