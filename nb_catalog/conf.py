"""The settings dict ``NB_CATALOG``: every key, its default and its validation.

Read at each access, so that ``override_settings`` works without reloading anything.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Generic, TypedDict, TypeVar, overload

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
    "photo": {"BACKEND": "nb_catalog.providers.photo.PhotoProvider"},
    "editor": {"BACKEND": "nb_catalog.providers.editor.EditorProvider"},
}


class Setting(Generic[T]):
    """One key of ``NB_CATALOG``.

    ``accept`` converts the host's value or raises ``ValueError``; ``wants`` says what it accepts.
    ``aliases`` are former names of the key, which are still read.
    """

    def __init__(
        self,
        default: T | Callable[[], T],
        accept: Callable[[Any], T],
        wants: str,
        *,
        aliases: tuple[str, ...] = (),
    ) -> None:
        self.default = default
        self.accept = accept
        self.wants = wants
        self.aliases = aliases

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Setting[T] | T:
        if instance is None:
            return self
        values = host_settings()
        key = self.key_in(values)
        if key not in values:
            return self.default() if callable(self.default) else self.default
        try:
            return self.accept(values[key])
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InvalidSettings(
                f"expected {self.wants}, got {values[key]!r}.", path=f"{NAME}[{key!r}]"
            ) from error

    def key_in(self, values: Mapping[str, Any]) -> str:
        """Return the key that ``values`` has for this setting, its present name if it has none.

        Raises ``InvalidSettings`` if it has more than one.
        """
        keys = [key for key in (self.name, *self.aliases) if key in values]
        if len(keys) > 1:
            raise InvalidSettings(
                f"is another name of {keys[1]!r}, and both are set. Remove {keys[1]!r}.",
                path=f"{NAME}[{keys[0]!r}]",
            )
        return keys[0] if keys else self.name


def host_settings() -> Mapping[str, Any]:
    """Return the host's ``NB_CATALOG``, or an empty mapping. Raises ``InvalidSettings``."""
    values = getattr(django_settings, NAME, {})
    if not isinstance(values, Mapping):
        raise InvalidSettings(f"expected a dict, got {type(values).__name__}.")
    return values


def setting_path(name: str, *keys: str) -> str:
    """Return the path that errors quote, under the name that the host uses for the setting:
    ``NB_CATALOG['QUOTAS']['gemini']``. Raises ``InvalidSettings``."""
    setting: Setting[Any] = getattr(Settings, name)
    return NAME + "".join(f"[{key!r}]" for key in (setting.key_in(host_settings()), *keys))


def _at_least(least: int) -> Callable[[Any], int]:
    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(value)
        return value

    return accept


def _positive(value: Any) -> float:
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


WAKE_UPS: Final = ("auto", "tasks", "celery", "none")


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        if value not in choices:
            raise ValueError(value)
        return str(value)

    return accept


HOLD: Final[Mapping[str, Any]] = {"ACTION": "hold"}
RETRY: Final[Mapping[str, Any]] = {"ACTION": "retry", "AFTER_SECONDS": 3600, "AT_MOST": 1}


def _unknown_policy(value: Any) -> Mapping[str, Any]:
    policy = dict(value)
    if policy.get("ACTION") == "hold" and len(policy) == 1:
        return policy
    if policy.get("ACTION") != "retry" or not policy.keys() <= RETRY.keys():
        raise ValueError(value)
    merged = {**RETRY, **policy}
    _positive(merged["AFTER_SECONDS"])
    _at_least(1)(merged["AT_MOST"])
    return merged


REQUIRED: Final[Mapping[str, float]] = {"RATIO_WITHIN": 0.03, "SIZE_AT_LEAST": 0.9}


def _required(value: Any) -> Mapping[str, float]:
    if not dict(value).keys() <= REQUIRED.keys():
        raise ValueError(value)
    merged = {**REQUIRED, **{name: float(each) for name, each in dict(value).items()}}
    if not all(0 <= each <= 1 for each in merged.values()):
        raise ValueError(value)
    return merged


# Fitted to photos of 55 products: docs/fidelity.md says how, and what each measures.
FIDELITY_THRESHOLDS: Final[Mapping[str, float]] = {
    "lost_detail": 1.0,
    "weak_detail": 0.25,
    "lost_place": 0.7,
    "shape": 0.9,
    "difference": 3.8,
    "chroma": 2.5,
    "hue": 4.5,
    "blob": 0.5,
    "outline": 18.0,
    "cut_off": 3.0,
    "asked": 9.0,
    "kept": 12.0,
}
FIDELITY: Final[Mapping[str, Any]] = {"REQUIRE": "warn", "THRESHOLDS": FIDELITY_THRESHOLDS}


def _fidelity(value: Any) -> Mapping[str, Any]:
    given = dict(value)
    if not given.keys() <= FIDELITY.keys():
        raise ValueError(value)
    _one_of(("none", "warn", "block"))(given.get("REQUIRE", "warn"))
    thresholds = dict(given.get("THRESHOLDS", {}))
    if not thresholds.keys() <= FIDELITY_THRESHOLDS.keys():
        raise ValueError(value)
    for each in thresholds.values():
        _positive(each)
    return {**FIDELITY, **given, "THRESHOLDS": {**FIDELITY_THRESHOLDS, **thresholds}}


# Each try is paid for.
MAX_DRIFT_RETRIES: Final = 3
SERIES: Final[Mapping[str, int]] = {"DRIFT_RETRIES": 0}


def _series(value: Any) -> Mapping[str, int]:
    merged = {**SERIES, **dict(value)}
    if merged.keys() != SERIES.keys() or _at_least(0)(merged["DRIFT_RETRIES"]) > MAX_DRIFT_RETRIES:
        raise ValueError(value)
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
    """Return font entries; a plain path is short for ``{"FILE": path}``."""
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


BACKEND_OR_NONE: Final = "None, or {'BACKEND': a dotted path, 'OPTIONS': a dict}"


def _backend(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    entry = dict(value)
    if not entry.keys() <= {"BACKEND", "OPTIONS"}:
        raise ValueError(value)
    _text(entry.get("BACKEND"))
    return {**entry, "OPTIONS": dict(entry.get("OPTIONS", {}))}


CLASSICAL_CUTOUT: Final[Mapping[str, Any]] = {
    "BACKEND": "nb_catalog.imaging.cutout.backends.ClassicalCutout",
    "OPTIONS": {},
}


def _required_backend(value: Any) -> Mapping[str, Any]:
    entry = _backend(value)
    if entry is None:
        raise ValueError(value)
    return entry


def _shop_locales() -> tuple[str, ...]:
    """Return the host's LANGUAGES. Nobody chose Django's default list of a hundred languages."""
    if django_settings.is_overridden("LANGUAGES"):  # type: ignore[misc]
        return tuple(code for code, _name in django_settings.LANGUAGES)
    return (str(django_settings.LANGUAGE_CODE),)


class Settings:
    """Every setting. Each attribute is looked up in the host's settings when it is used."""

    STORAGE = Setting("default", _text, "an alias of STORAGES")
    PROVIDERS = Setting(
        PROVIDERS, lambda v: {**PROVIDERS, **_table(v)}, "a dict of alias -> {'BACKEND', 'OPTIONS'}"
    )
    CUTOUT = Setting[Mapping[str, Any]](
        CLASSICAL_CUTOUT, _required_backend, "{'BACKEND': a dotted path, 'OPTIONS': a dict}"
    )
    TIERS = Setting(LOCAL_TIERS, _table, "a dict of tier -> {'PROVIDER', 'MODEL', 'SIZE'}")
    MODEL_SPECS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, _table, "a dict of model id -> a dict of changed values", aliases=("CARDS",)
    )
    QUOTAS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, _table, "a dict of provider -> dict of model -> its quotas", aliases=("LIMITS",)
    )
    CONCURRENCY = Setting(32, _at_least(1), "a whole number of calls in flight, at least 1")
    FREE_THREADS = Setting(
        lambda: os.cpu_count() or 1, _at_least(1), "a whole number of threads, at least 1"
    )
    LEASE_SECONDS = Setting(60.0, _positive, "a positive number of seconds")
    CALL_SECONDS = Setting(330.0, _positive, "a positive number of seconds")
    WAKE_SECONDS = Setting(20.0, _positive, "a positive number of seconds")
    WAKE_UP = Setting("auto", _one_of(WAKE_UPS), f"one of {', '.join(WAKE_UPS)}")
    TASK_BACKEND = Setting("default", _text, "an alias of TASKS")
    BATCH_HOURS = Setting(30.0, _positive, "a positive number of hours")
    MAX_ATTEMPTS = Setting(4, _at_least(1), "a whole number, at least 1")
    UNKNOWN_POLICY = Setting(
        HOLD, _unknown_policy, "{'ACTION': 'hold'}, or 'retry' with 'AFTER_SECONDS' and 'AT_MOST'"
    )
    REQUIRE = Setting(
        REQUIRED, _required, "a dict with RATIO_WITHIN and SIZE_AT_LEAST, each from 0 to 1"
    )
    FIDELITY = Setting[Mapping[str, Any]](
        FIDELITY,
        _fidelity,
        "a dict with REQUIRE, one of 'none', 'warn' and 'block', and THRESHOLDS, a dict of some of "
        f"{', '.join(FIDELITY_THRESHOLDS)} -> a positive number",
    )
    SERIES = Setting[Mapping[str, int]](
        SERIES, _series, f"a dict with DRIFT_RETRIES, a whole number from 0 to {MAX_DRIFT_RETRIES}"
    )
    MAX_PICTURE_BYTES = Setting(64 * 2**20, _at_least(1), "a whole number of bytes")
    MAX_PICTURE_PIXELS = Setting(110_000_000, _at_least(1), "a whole number of pixels")
    STAGING_DIR = Setting(
        # A directory for each user of the machine: workers of different users cannot share one.
        lambda: Path(tempfile.gettempdir()) / f"nb_catalog-{getattr(os, 'getuid', int)()}",
        Path,
        "a directory's path",
    )
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
    STALE_CHECK_SECONDS = Setting(900.0, _positive, "a positive number of seconds")
    LOCALES = Setting(_shop_locales, _locales, "a list of locales, such as ['en', 'pt-br', 'ar']")
    LOCALE_FALLBACKS = Setting[Mapping[str, tuple[str, ...]]](
        {},
        lambda v: {_text(code): _locales(chain) for code, chain in dict(v).items()},
        "a dict of locale -> a list of locales to use in its place",
    )
    LATIN_DIGITS = Setting[tuple[str, ...]](
        (), _locales, "a list of locales whose numbers are written 0 to 9, such as ['ar-eg', 'fa']"
    )
    TRANSLATION_PROVIDER = Setting[Mapping[str, Any] | None](
        None, _backend, BACKEND_OR_NONE, aliases=("TRANSLATOR",)
    )
    ALT_TEXT_PROVIDER = Setting[Mapping[str, Any] | None](
        None, _backend, BACKEND_OR_NONE, aliases=("DESCRIBER",)
    )
    OCR_PROVIDER = Setting[Mapping[str, Any] | None](
        None, _backend, BACKEND_OR_NONE, aliases=("READER",)
    )
    COMPARISON_PROVIDER = Setting[Mapping[str, Any] | None](None, _backend, BACKEND_OR_NONE)
    FONTS = Setting[tuple[Mapping[str, Any], ...]](
        (), _fonts, "a list of paths, or of {'FILE', 'STORAGE', 'LOCALES'}"
    )
    API_PUBLIC_PLACEMENTS = Setting(False, _flag, "True or False")

    def known(self) -> tuple[str, ...]:
        """Return the name of every setting, without aliases."""
        return tuple(name for name, value in vars(type(self)).items() if isinstance(value, Setting))

    def unknown(self) -> tuple[str, ...]:
        """Return the keys of the host's dict that nothing reads."""
        read = set(self.known())
        for name in self.known():
            read.update(getattr(type(self), name).aliases)
        return tuple(key for key in host_settings() if key not in read)


settings: Final = Settings()


class PictureLimits(TypedDict):
    max_bytes: int
    max_pixels: int


def picture_limits() -> PictureLimits:
    """Return ``max_bytes`` and ``max_pixels`` for the functions of ``imaging``, which read no settings."""
    return {"max_bytes": settings.MAX_PICTURE_BYTES, "max_pixels": settings.MAX_PICTURE_PIXELS}
