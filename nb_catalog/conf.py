"""The settings dict ``NB_CATALOG``: every key, its default, and how a wrong one is told.

Read at each access, so that ``override_settings`` works and nothing has to be reloaded.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, overload

from django.conf import settings as django_settings

from nb_catalog.exceptions import InvalidSettings

__all__ = [
    "GEMINI_TIERS",
    "LOCAL_TIERS",
    "settings",
]

T = TypeVar("T")

NAME: Final = "NB_CATALOG"

LOCAL_TIERS: Final[Mapping[str, Mapping[str, str]]] = {
    "draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
    "standard": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "2K"},
    "premium": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "4K"},
}
GEMINI_TIERS: Final[Mapping[str, Mapping[str, str]]] = {
    "draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
    "standard": {"PROVIDER": "gemini", "MODEL": "gemini-nano-banana-2.1", "SIZE": "2K"},
    "premium": {"PROVIDER": "gemini", "MODEL": "gemini-3-pro-image", "SIZE": "4K"},
}
PROVIDERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "local": {"BACKEND": "nb_catalog.providers.local.LocalProvider"},
    "gemini": {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider"},
    "typesetter": {"BACKEND": "nb_catalog.providers.typesetter.TypesetterProvider"},
}


class Setting(Generic[T]):
    """One key of ``NB_CATALOG``. ``accept`` turns the host's value into ours or raises ValueError."""

    def __init__(
        self, default: T | Callable[[], T], accept: Callable[[Any], T], wants: str
    ) -> None:
        self.default = default
        self.accept = accept
        self.wants = wants

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Setting[T] | T:
        if instance is None:
            return self
        given = host_settings()
        if self.name not in given:
            return self.default() if callable(self.default) else self.default
        try:
            return self.accept(given[self.name])
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InvalidSettings(
                f"expected {self.wants}, got {given[self.name]!r}.",
                path=f"{NAME}[{self.name!r}]",
            ) from error


def host_settings() -> Mapping[str, Any]:
    """The host's ``NB_CATALOG`` as it stands, or an empty mapping."""
    given = getattr(django_settings, NAME, {})
    if not isinstance(given, Mapping):
        raise InvalidSettings(f"expected a dict, got {type(given).__name__}.")
    return given


def _at_least(least: int) -> Callable[[Any], int]:
    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(value)
        return value

    return accept


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(value)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value


def _table(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise ValueError(value)
    return value


def _usd_or_none(value: Any) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, float | bool) or (amount := Decimal(value)) < 0 or not amount.is_finite():
        raise ValueError(value)
    return amount


def _amounts(value: Any) -> Mapping[str, Decimal]:
    amounts = {_text(name): _usd_or_none(amount) for name, amount in dict(value).items()}
    if None in amounts.values():
        raise ValueError(value)
    return {name: amount for name, amount in amounts.items() if amount is not None}


def _widths(value: Any) -> tuple[int, ...]:
    widths = tuple(sorted({_at_least(16)(width) for width in value}))
    if not widths:
        raise ValueError(value)
    return widths


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


WAKE_UPS: Final = ("tasks", "celery", "none")


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        if value not in words:
            raise ValueError(value)
        return str(value)

    return accept


HOLD: Final[Mapping[str, Any]] = {"ACTION": "hold"}
RETRY: Final[Mapping[str, Any]] = {"ACTION": "retry", "AFTER_SECONDS": 3600, "AT_MOST": 1}


def _unknown_policy(value: Any) -> Mapping[str, Any]:
    given = dict(value)
    if given.get("ACTION") == "hold" and len(given) == 1:
        return given
    if given.get("ACTION") != "retry" or not given.keys() <= RETRY.keys():
        raise ValueError(value)
    merged = {**RETRY, **given}
    _seconds(merged["AFTER_SECONDS"])
    _at_least(1)(merged["AT_MOST"])
    return merged


RENDITION_FORMATS: Final = ("avif", "webp", "jpeg")


def _formats(value: Any) -> tuple[str, ...]:
    formats = tuple(value)
    if (
        isinstance(value, str)
        or "jpeg" not in formats
        or not set(formats) <= set(RENDITION_FORMATS)
    ):
        raise ValueError(value)
    return formats


def _fonts(value: Any) -> tuple[Mapping[str, Any], ...]:
    """A path alone stands for ``{"FILE": path}``."""
    if isinstance(value, str | Mapping):
        raise ValueError(value)
    fonts = tuple(
        {"FILE": str(each)} if isinstance(each, str | Path) else dict(each) for each in value
    )
    for font in fonts:
        if not font.keys() <= {"FILE", "STORAGE", "LOCALES"}:
            raise ValueError(value)
        _text(font.get("FILE"))
        _text(font.get("STORAGE", "default"))
        locales = font.get("LOCALES", ())
        if isinstance(locales, str) or not all(isinstance(each, str) for each in locales):
            raise ValueError(value)
    return fonts


def _locales(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValueError(value)
    return tuple(dict.fromkeys(_text(each) for each in value))


def _backend(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    given = dict(value)
    if not given.keys() <= {"BACKEND", "OPTIONS"}:
        raise ValueError(value)
    _text(given.get("BACKEND"))
    return {**given, "OPTIONS": dict(given.get("OPTIONS", {}))}


def _fallbacks(value: Any) -> Mapping[str, tuple[str, ...]]:
    return {_text(code): _locales(chain) for code, chain in dict(value).items()}


def _shop_locales() -> tuple[str, ...]:
    """The host's LANGUAGES. Django's own list, of a hundred, is nobody's choice."""
    if django_settings.is_overridden("LANGUAGES"):  # type: ignore[misc]
        return tuple(code for code, _name in django_settings.LANGUAGES)
    return (str(django_settings.LANGUAGE_CODE),)


def _default_staging_dir() -> Path:
    return Path(tempfile.gettempdir()) / f"nb_catalog-{os.getuid() if hasattr(os, 'getuid') else 0}"


class Settings:
    """What the app reads. Each attribute is looked up in the host's settings when it is used."""

    STORAGE = Setting("default", _text, "an alias of STORAGES")
    PROVIDERS = Setting(
        PROVIDERS, lambda v: {**PROVIDERS, **_table(v)}, "a dict of alias -> {'BACKEND', 'OPTIONS'}"
    )
    TIERS = Setting(LOCAL_TIERS, _table, "a dict of tier -> {'PROVIDER', 'MODEL', 'SIZE'}")
    CARDS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, _table, "a dict of model id -> what differs from the shipped card"
    )
    LIMITS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, _table, "a dict of provider -> dict of model -> its quotas"
    )
    CONCURRENCY = Setting(32, _at_least(1), "a whole number of calls in flight, at least 1")
    FREE_THREADS = Setting(
        lambda: os.cpu_count() or 1, _at_least(1), "a whole number of threads, at least 1"
    )
    LEASE_SECONDS = Setting(60.0, _seconds, "a positive number of seconds")
    CALL_SECONDS = Setting(330.0, _seconds, "a positive number of seconds")
    WAKE_SECONDS = Setting(20.0, _seconds, "a positive number of seconds")
    WAKE_UP = Setting("tasks", _one_of(WAKE_UPS), f"one of {', '.join(WAKE_UPS)}")
    TASK_BACKEND = Setting("default", _text, "an alias of TASKS")
    BATCH_HOURS = Setting(30.0, _seconds, "a positive number of hours")
    MAX_ATTEMPTS = Setting(4, _at_least(1), "a whole number, at least 1")
    UNKNOWN_POLICY = Setting(
        HOLD, _unknown_policy, "{'ACTION': 'hold'}, or 'retry' with 'AFTER_SECONDS' and 'AT_MOST'"
    )
    MAX_PICTURE_BYTES = Setting(64 * 2**20, _at_least(1), "a whole number of bytes")
    MAX_PICTURE_PIXELS = Setting(110_000_000, _at_least(1), "a whole number of pixels")
    STAGING_DIR = Setting(_default_staging_dir, Path, "a directory's path")
    DAILY_BUDGET_USD = Setting[Decimal | None](
        None, _usd_or_none, "None, or an amount as Decimal, int or str"
    )
    TIER_DAILY_BUDGETS_USD = Setting[Mapping[str, Decimal]](
        {}, _amounts, "a dict of tier -> an amount as Decimal, int or str"
    )
    USER_DAILY_BUDGETS_USD = Setting[Mapping[str, Decimal]](
        {}, _amounts, "a dict of user name, or '*' -> an amount as Decimal, int or str"
    )
    RENDITION_WIDTHS = Setting(
        (320, 640, 960, 1280, 1920), _widths, "a list of widths in pixels, each at least 16"
    )
    RENDITION_FORMATS = Setting(
        RENDITION_FORMATS, _formats, "a list from 'avif', 'webp' and 'jpeg' that has 'jpeg'"
    )
    LOCALES = Setting(_shop_locales, _locales, "a list of locales, such as ['en', 'pt-br', 'ar']")
    LOCALE_FALLBACKS = Setting[Mapping[str, tuple[str, ...]]](
        {}, _fallbacks, "a dict of locale -> a list of locales that may stand in for it"
    )
    TRANSLATOR = Setting[Mapping[str, Any] | None](
        None, _backend, "None, or {'BACKEND': a dotted path, 'OPTIONS': a dict}"
    )
    DESCRIBER = Setting[Mapping[str, Any] | None](
        None, _backend, "None, or {'BACKEND': a dotted path, 'OPTIONS': a dict}"
    )
    READER = Setting[Mapping[str, Any] | None](
        None, _backend, "None, or {'BACKEND': a dotted path, 'OPTIONS': a dict}"
    )
    FONTS = Setting[tuple[Mapping[str, Any], ...]](
        (), _fonts, "a list of paths, or of {'FILE', 'STORAGE', 'LOCALES'}"
    )
    API_PUBLIC_PLACEMENTS = Setting(False, _flag, "True or False")

    def known(self) -> tuple[str, ...]:
        return tuple(name for name, value in vars(type(self)).items() if isinstance(value, Setting))

    def unknown(self) -> tuple[str, ...]:
        """Keys of the host's dict that nothing reads."""
        return tuple(key for key in host_settings() if key not in self.known())


settings: Final = Settings()
