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

from nb_catalog.conf import accept
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


def _shop_locales() -> tuple[str, ...]:
    """Return the host's LANGUAGES. Nobody chose Django's default list of a hundred languages."""
    if django_settings.is_overridden("LANGUAGES"):  # type: ignore[misc]
        return tuple(code for code, _name in django_settings.LANGUAGES)
    return (str(django_settings.LANGUAGE_CODE),)


class Settings:
    """Every setting. Each attribute is looked up in the host's settings when it is used."""

    STORAGE = Setting("default", accept.text, "an alias of STORAGES")
    PROVIDERS = Setting(
        PROVIDERS,
        lambda v: {**PROVIDERS, **accept.table(v)},
        "a dict of alias -> {'BACKEND', 'OPTIONS'}",
    )
    CUTOUT = Setting[Mapping[str, Any]](
        accept.CLASSICAL_CUTOUT,
        accept.required_backend,
        "{'BACKEND': a dotted path, 'OPTIONS': a dict}",
    )
    TIERS = Setting(LOCAL_TIERS, accept.table, "a dict of tier -> {'PROVIDER', 'MODEL', 'SIZE'}")
    MODEL_SPECS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, accept.table, "a dict of model id -> a dict of changed values", aliases=("CARDS",)
    )
    QUOTAS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, accept.table, "a dict of provider -> dict of model -> its quotas", aliases=("LIMITS",)
    )
    CONCURRENCY = Setting(32, accept.at_least(1), "a whole number of calls in flight, at least 1")
    FREE_THREADS = Setting(
        lambda: os.cpu_count() or 1, accept.at_least(1), "a whole number of threads, at least 1"
    )
    LEASE_SECONDS = Setting(60.0, accept.positive, "a positive number of seconds")
    CALL_SECONDS = Setting(330.0, accept.positive, "a positive number of seconds")
    WAKE_SECONDS = Setting(20.0, accept.positive, "a positive number of seconds")
    WAKE_UP = Setting(
        "auto", accept.one_of(accept.WAKE_UPS), f"one of {', '.join(accept.WAKE_UPS)}"
    )
    TASK_BACKEND = Setting("default", accept.text, "an alias of TASKS")
    BATCH_HOURS = Setting(30.0, accept.positive, "a positive number of hours")
    MAX_ATTEMPTS = Setting(4, accept.at_least(1), "a whole number, at least 1")
    UNKNOWN_POLICY = Setting(
        accept.HOLD,
        accept.unknown_policy,
        "{'ACTION': 'hold'}, or 'retry' with 'AFTER_SECONDS' and 'AT_MOST'",
    )
    REQUIRE = Setting(
        accept.REQUIRED,
        accept.required,
        "a dict with RATIO_WITHIN and SIZE_AT_LEAST, each from 0 to 1",
    )
    FIDELITY = Setting[Mapping[str, Any]](
        accept.FIDELITY,
        accept.fidelity,
        "a dict with REQUIRE, one of 'none', 'warn' and 'block', and THRESHOLDS, a dict of some of "
        f"{', '.join(accept.FIDELITY_THRESHOLDS)} -> a positive number",
    )
    SERIES = Setting[Mapping[str, int]](
        accept.SERIES,
        accept.series,
        f"a dict with DRIFT_RETRIES, a whole number from 0 to {accept.MAX_DRIFT_RETRIES}",
    )
    ESCALATION = Setting[Mapping[str, Any]](
        accept.ESCALATION,
        accept.escalation,
        "a dict with some of SLOTS (slot -> size), CHECKS (some of 'text', 'fidelity' and 'size'), "
        "VALUE_AT_LEAST, TIER, CANDIDATES and DAILY_BUDGET_USD",
    )
    WEBHOOKS = Setting[Mapping[str, Any]](
        accept.WEBHOOKS,
        accept.webhooks,
        "a dict with some of ALLOWED_NETWORKS, a list such as ['10.0.3.0/24'], DISABLE_AFTER_DAYS and "
        "KEEP_DAYS, whole numbers of days, at least 1",
    )
    NOTIFY = Setting[Mapping[str, Any]](
        accept.NOTIFY,
        accept.notify,
        "a dict with some of EMAIL, one of 'off', 'ask' and 'always', FROM, an address, and PICTURES, a "
        f"whole number from 0 to {accept.MAX_SHEET}",
    )
    CHANNELS = Setting[Mapping[str, Mapping[str, Any]]](
        {}, accept.table, "a dict of channel -> a dict of its rules"
    )
    MAX_PICTURE_BYTES = Setting(64 * 2**20, accept.at_least(1), "a whole number of bytes")
    MAX_PICTURE_PIXELS = Setting(110_000_000, accept.at_least(1), "a whole number of pixels")
    STAGING_DIR = Setting(
        # A directory for each user of the machine: workers of different users cannot share one.
        lambda: Path(tempfile.gettempdir()) / f"nb_catalog-{getattr(os, 'getuid', int)()}",
        Path,
        "a directory's path",
    )
    DAILY_BUDGET_USD = Setting[Decimal | None](
        None, accept.usd_or_none, "None, or an amount as Decimal, int or str"
    )
    TIER_DAILY_BUDGETS_USD = Setting[Mapping[str, Decimal]](
        {}, accept.amounts, "a dict of tier -> an amount as Decimal, int or str"
    )
    USER_DAILY_BUDGETS_USD = Setting[Mapping[str, Decimal]](
        {}, accept.amounts, "a dict of user name, or '*' -> an amount as Decimal, int or str"
    )
    RENDITION_WIDTHS = Setting(
        (320, 640, 960, 1280, 1920), accept.widths, "a list of widths in pixels, each at least 16"
    )
    RENDITION_FORMATS = Setting(
        accept.RENDITION_FORMATS,
        accept.formats,
        "a list from 'avif', 'webp' and 'jpeg' that has 'jpeg'",
    )
    EXPORT_DAYS = Setting(7, accept.at_least(1), "a whole number of days, at least 1")
    STALE_CHECK_SECONDS = Setting(900.0, accept.positive, "a positive number of seconds")
    LOCALES = Setting(
        _shop_locales, accept.locales, "a list of locales, such as ['en', 'pt-br', 'ar']"
    )
    LOCALE_FALLBACKS = Setting[Mapping[str, tuple[str, ...]]](
        {},
        lambda v: {accept.text(code): accept.locales(chain) for code, chain in dict(v).items()},
        "a dict of locale -> a list of locales to use in its place",
    )
    LATIN_DIGITS = Setting[tuple[str, ...]](
        (),
        accept.locales,
        "a list of locales whose numbers are written 0 to 9, such as ['ar-eg', 'fa']",
    )
    TRANSLATION_PROVIDER = Setting[Mapping[str, Any] | None](
        None, accept.backend, accept.BACKEND_OR_NONE, aliases=("TRANSLATOR",)
    )
    ALT_TEXT_PROVIDER = Setting[Mapping[str, Any] | None](
        None, accept.backend, accept.BACKEND_OR_NONE, aliases=("DESCRIBER",)
    )
    OCR_PROVIDER = Setting[Mapping[str, Any] | None](
        None, accept.backend, accept.BACKEND_OR_NONE, aliases=("READER",)
    )
    COMPARISON_PROVIDER = Setting[Mapping[str, Any] | None](
        None, accept.backend, accept.BACKEND_OR_NONE
    )
    FONTS = Setting[tuple[Mapping[str, Any], ...]](
        (), accept.fonts, "a list of paths, or of {'FILE', 'STORAGE', 'LOCALES'}"
    )
    API_PUBLIC_PLACEMENTS = Setting(False, accept.flag, "True or False")
    API_PUBLIC_MAX_AGE = Setting(60, accept.at_least(0), "a number of seconds")

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
