"""What each setting accepts: functions that convert the host's value or raise ``ValueError``, and defaults of
settings with several values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final


def at_least(least: int) -> Callable[[Any], int]:
    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(value)
        return value

    return accept


def positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(value)
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value


def table(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise ValueError(value)
    return value


def usd_or_none(value: Any) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, float | bool) or (amount := Decimal(value)) < 0 or not amount.is_finite():
        raise ValueError(value)
    return amount


def amounts(value: Any) -> Mapping[str, Decimal]:
    amounts = {text(name): usd_or_none(amount) for name, amount in dict(value).items()}
    if None in amounts.values():
        raise ValueError(value)
    return {name: amount for name, amount in amounts.items() if amount is not None}


def widths(value: Any) -> tuple[int, ...]:
    widths = tuple(sorted({at_least(16)(width) for width in value}))
    if not widths:
        raise ValueError(value)
    return widths


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


WAKE_UPS: Final = ("auto", "tasks", "celery", "none")


def one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        if value not in choices:
            raise ValueError(value)
        return str(value)

    return accept


HOLD: Final[Mapping[str, Any]] = {"ACTION": "hold"}
RETRY: Final[Mapping[str, Any]] = {"ACTION": "retry", "AFTER_SECONDS": 3600, "AT_MOST": 1}


def unknown_policy(value: Any) -> Mapping[str, Any]:
    policy = dict(value)
    if policy.get("ACTION") == "hold" and len(policy) == 1:
        return policy
    if policy.get("ACTION") != "retry" or not policy.keys() <= RETRY.keys():
        raise ValueError(value)
    merged = {**RETRY, **policy}
    positive(merged["AFTER_SECONDS"])
    at_least(1)(merged["AT_MOST"])
    return merged


REQUIRED: Final[Mapping[str, float]] = {"RATIO_WITHIN": 0.03, "SIZE_AT_LEAST": 0.9}


def required(value: Any) -> Mapping[str, float]:
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


def fidelity(value: Any) -> Mapping[str, Any]:
    given = dict(value)
    if not given.keys() <= FIDELITY.keys():
        raise ValueError(value)
    one_of(("none", "warn", "block"))(given.get("REQUIRE", "warn"))
    thresholds = dict(given.get("THRESHOLDS", {}))
    if not thresholds.keys() <= FIDELITY_THRESHOLDS.keys():
        raise ValueError(value)
    for each in thresholds.values():
        positive(each)
    return {**FIDELITY, **given, "THRESHOLDS": {**FIDELITY_THRESHOLDS, **thresholds}}


# Each try is paid for.
MAX_DRIFT_RETRIES: Final = 3
SERIES: Final[Mapping[str, int]] = {"DRIFT_RETRIES": 0}


def series(value: Any) -> Mapping[str, int]:
    merged = {**SERIES, **dict(value)}
    if merged.keys() != SERIES.keys() or at_least(0)(merged["DRIFT_RETRIES"]) > MAX_DRIFT_RETRIES:
        raise ValueError(value)
    return merged


WEBHOOKS: Final[Mapping[str, Any]] = {
    "ALLOWED_NETWORKS": (),
    "DISABLE_AFTER_DAYS": 5,
    "KEEP_DAYS": 30,
}


def webhooks(value: Any) -> Mapping[str, Any]:
    merged = {**WEBHOOKS, **dict(value)}
    if merged.keys() != WEBHOOKS.keys() or isinstance(merged["ALLOWED_NETWORKS"], str):
        raise ValueError(value)
    merged["ALLOWED_NETWORKS"] = tuple(map(ip_network, merged["ALLOWED_NETWORKS"]))
    at_least(1)(merged["DISABLE_AFTER_DAYS"])
    at_least(1)(merged["KEEP_DAYS"])
    return merged


NOTIFY: Final[Mapping[str, Any]] = {"EMAIL": "off", "FROM": "", "PICTURES": 12}
# A contact sheet of more would be too large for an e-mail.
MAX_SHEET: Final = 40


def notify(value: Any) -> Mapping[str, Any]:
    merged = {**NOTIFY, **dict(value)}
    if merged.keys() != NOTIFY.keys() or at_least(0)(merged["PICTURES"]) > MAX_SHEET:
        raise ValueError(value)
    one_of(("off", "ask", "always"))(merged["EMAIL"])
    if merged["FROM"]:
        text(merged["FROM"])
    return merged


RENDITION_FORMATS: Final = ("avif", "webp", "jpeg")


def formats(value: Any) -> tuple[str, ...]:
    formats = tuple(value)
    if (
        isinstance(value, str)
        or "jpeg" not in formats
        or not set(formats) <= set(RENDITION_FORMATS)
    ):
        raise ValueError(value)
    return formats


def fonts(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Return font entries; a plain path is short for ``{"FILE": path}``."""
    if isinstance(value, str | Mapping):
        raise ValueError(value)
    fonts = tuple(
        {"FILE": str(each)} if isinstance(each, str | Path) else dict(each) for each in value
    )
    for font in fonts:
        if not font.keys() <= {"FILE", "STORAGE", "LOCALES"}:
            raise ValueError(value)
        text(font.get("FILE"))
        text(font.get("STORAGE", "default"))
        locales = font.get("LOCALES", ())
        if isinstance(locales, str) or not all(isinstance(each, str) for each in locales):
            raise ValueError(value)
    return fonts


def locales(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValueError(value)
    return tuple(dict.fromkeys(text(each) for each in value))


BACKEND_OR_NONE: Final = "None, or {'BACKEND': a dotted path, 'OPTIONS': a dict}"


def backend(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    entry = dict(value)
    if not entry.keys() <= {"BACKEND", "OPTIONS"}:
        raise ValueError(value)
    text(entry.get("BACKEND"))
    return {**entry, "OPTIONS": dict(entry.get("OPTIONS", {}))}


CLASSICAL_CUTOUT: Final[Mapping[str, Any]] = {
    "BACKEND": "nb_catalog.imaging.cutout.backends.ClassicalCutout",
    "OPTIONS": {},
}


def required_backend(value: Any) -> Mapping[str, Any]:
    entry = backend(value)
    if entry is None:
        raise ValueError(value)
    return entry


# What a picture can fail, and a policy makes final for it.
FAILED_CHECKS: Final = ("text", "fidelity", "size")
ESCALATION: Final[Mapping[str, Any]] = {
    "SLOTS": {},
    "CHECKS": (),
    "VALUE_AT_LEAST": None,
    "TIER": "premium",
    "CANDIDATES": 1,
    "DAILY_BUDGET_USD": None,
}


def escalation(value: Any) -> Mapping[str, Any]:
    """Return the policies for finals with their defaults. Slots, sizes and the tier are checked by
    ``check``."""
    merged = {**ESCALATION, **dict(value)}
    if merged.keys() != ESCALATION.keys() or isinstance(merged["CHECKS"], str):
        raise ValueError(value)
    if not set(merged["CHECKS"]) <= set(FAILED_CHECKS):
        raise ValueError(value)
    if merged["VALUE_AT_LEAST"] is not None:
        positive(merged["VALUE_AT_LEAST"])
    at_least(1)(merged["CANDIDATES"])
    return {
        **merged,
        "SLOTS": {text(slot): text(size) for slot, size in dict(merged["SLOTS"]).items()},
        "CHECKS": tuple(merged["CHECKS"]),
        "TIER": text(merged["TIER"]),
        "DAILY_BUDGET_USD": usd_or_none(merged["DAILY_BUDGET_USD"]),
    }
