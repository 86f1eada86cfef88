"""Recognizes errors that are the account's fault rather than the request's, and says what to do.

Services use the same status for both: Google answers 400 to an invalid request and to a country that it
does not serve, 403 to a wrong key and to an API that is not enabled, 429 to too many requests and to a
quota of 0. Gateways pass the words of the service behind them on. So the machine-readable reasons decide,
and if there are none, the words.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from nb_catalog.exceptions import (
    AccountBlocked,
    KeyRejected,
    ModelUnavailable,
    ProviderError,
    ProviderStopped,
)


class AccountError(NamedTuple):
    """The class of an error of the account, and a sentence about what a person has to do. It may contain
    ``{url}`` (where an API is enabled, with its preposition) and ``{key}`` (where the key is set)."""

    kind: type[ProviderError]
    advice: str


class _Rule(NamedTuple):
    error: AccountError
    # From google.api.ErrorReason, google.api.servicecontrol.v1.CheckError, OpenAI and gateways, in lower
    # case.
    reasons: frozenset[str]
    words: re.Pattern[str]


def _rule(
    kind: type[ProviderError], advice: str, *, reasons: str = "", words: str = "(?!)"
) -> _Rule:
    return _Rule(
        AccountError(kind, advice),
        frozenset(reasons.split()),
        re.compile(words, re.IGNORECASE | re.VERBOSE),
    )


# The first one that matches counts, so the more specific ones come first.
_RULES: Final = (
    _rule(
        KeyRejected,
        "The key was published and is blocked for ever: create another one. Set the key in {key}.",
        words=r"reported\ as\ leaked | key\ (?:was|has\ been)\ (?:leaked|compromised)",
    ),
    _rule(
        KeyRejected,
        "The restrictions of the key do not allow these calls: change them where the key was created,"
        " or use another one. Set the key in {key}.",
        reasons="api_key_service_blocked api_key_http_referrer_blocked api_key_ip_address_blocked"
        " api_key_android_app_blocked api_key_ios_app_blocked ip_address_blocked referer_blocked"
        " client_app_blocked api_target_blocked ip_not_authorized",
        words=r"""requests?\ (?:from|to)\ .{1,200}\ (?:are|is)\ blocked
            | (?:ip|address)\ .{0,60}\ not\ (?:authorized|allowed)""",
    ),
    _rule(
        AccountBlocked,
        "The API is not enabled in the account's project: enable it{url}.",
        reasons="service_disabled service_not_activated accessnotconfigured",
        words=r"""has\ not\ been\ used\ in\ project\ .{1,80}\ before
            | \bapi\b.{0,80}\b(?:is\ disabled|is\ not\ enabled|not\ been\ enabled)
            | enable\ it\ by\ visiting""",
    ),
    _rule(
        ModelUnavailable,
        "A policy of the organization does not allow this model: an administrator must allow it, or"
        " choose another model.",
        words=r"constraints/vertexai\.allowed(?:gen_?ai)?models",
    ),
    _rule(
        AccountBlocked,
        "The account may not use a threshold in 'safety_settings': use another one.",
        words=r"restricted\ harmblockthreshold",
    ),
    _rule(
        AccountBlocked,
        "A policy of the organization does not allow these calls: an administrator must change it.",
        reasons="security_policy_violated location_policy_violated location_org_policy_violated"
        " location_tax_policy_violated org_restriction_violation org_restriction_header_invalid"
        " resource_usage_restriction_violated vpc_service_controls",
        words=r"""organi[sz]ation(?:'s|’s|al)?\ polic | \bconstraints/[a-z]+\. | vpc\ service\ controls""",
    ),
    _rule(
        AccountBlocked,
        "The account or its project is suspended, closed or deleted: contact the service, or set the key"
        " of another account in {key}.",
        reasons="consumer_suspended consumer_invalid user_project_denied account_state_invalid"
        " abuser_detected project_deleted project_invalid account_deactivated access_terminated"
        " user_suspended account_suspended account_disabled org_suspended organization_suspended",
        words=r"""\b(?:consumer|project|account|organi[sz]ation|user|team)\b.{0,120}?
              \b(?:suspended|deactivated|terminated|denied\ access|been\ (?:disabled|deleted|banned|blocked))
            | \b(?:account|project)\b.{0,60}\bis\ (?:disabled|closed|banned|blocked)""",
    ),
    _rule(
        ModelUnavailable,
        "This account may not use the model: ask the service for access, or choose another model.",
        reasons="model_not_allowed model_access_denied team_model_access_denied key_model_access_denied",
        words=r"""(?:not\ have|without|denied|no)\ access\ to\ (?:it\b|(?:the\ )?(?:requested\ )?model)
            | not\ allowed\ to\ (?:use|access)\ (?:publisher\ |this\ |the\ )?model
            | must\ be\ verified\ to\ use\ the\ model
            | no\ longer\ available\ to\ new\ (?:users|customers|projects)
            | not\ (?:available|included|supported)\ (?:for|on|in|with)\ (?:your|the|this)\ (?:current\ )?
              (?:plan|tier|subscription|account|project|organi[sz]ation|free)""",
    ),
    _rule(
        ProviderStopped,
        "The account has no active billing: enable it, or pay what is due, on its billing page.",
        reasons="billing_disabled billing_not_active payment_method_required",
        words=r"""requires?\ billing | enable\ billing
            | billing\ (?:is\ |has\ )?(?:not\ |to\ )?(?:been\ |be\ )?(?:enabled|disabled|active)
            | accessible\ to\ billed\ users | only\ .{0,40}\bbilled\ users
            | billing\ account\ .{0,120}\b(?:not\ found|closed|disabled|delinquent|not\ in\ good\ standing)
            | account\ is\ not\ active""",
    ),
    _rule(
        AccountBlocked,
        "The service does not serve the place from which this machine calls it: call it from a supported"
        " country, or through a gateway or Vertex AI.",
        reasons="unsupported_country_region_territory unsupported_country unsupported_region"
        " unsupported_location",
        words=r"""location\ is\ not\ supported
            | (?:country|region|territory|location)\b.{0,60}\bnot\ (?:supported|available|allowed)
            | not\ (?:available|supported|allowed)\ in\ (?:your|this)
              \ (?:country|region|territory|location)""",
    ),
    _rule(
        ProviderStopped,
        "The account has no credit left, or its spending limit is reached. Check its billing page.",
        reasons="insufficient_quota billing_hard_limit_reached insufficient_credits insufficient_credit"
        " insufficient_balance insufficient_funds insufficient_user_quota payment_required arrearage"
        " budget_exceeded quota_exhausted credits_exhausted credit_balance_too_low out_of_credits"
        " spending_limit_reached exceeded_budget account_billing_error",
        # "Check your plan and billing details" is part of every 429 of Google's.
        words=r"""\bspend | \bprepa(?:y|id) | \bcredits?\ (?:are|is|have\ been)\b
            | (?:insufficient|not\ enough|too\ few|no|run\ out\ of|out\ of|lack\ of|more)
              \ (?:remaining\ |available\ )?(?:credits?|balance|funds)\b
            | (?:credit\ )?balance\ is\ (?:too\ low|insufficient|exhausted|empty)
            | budget\ (?:has\ been\ |is\ )?(?:exceeded|exhausted)
            | exceeded\ (?:your|the|its)\ (?:\w+\ )?budget""",
    ),
    _rule(
        KeyRejected,
        "The account behind the key lacks a permission: grant it, or use another one. Set the key in"
        " {key}.",
        reasons="iam_permission_denied access_token_scope_insufficient insufficient_permissions"
        " mismatched_organization mismatched_project",
        words=r"""permission\b.{0,160}\bdenied\ on\ resource
            | not\ have\ (?:the\ )?(?:required\ )?permissions?\b
            | insufficient\ (?:authentication\ scopes|permissions?)""",
    ),
    _rule(
        KeyRejected,
        "Set the key in {key}.",
        reasons="api_key_invalid api_key_not_found api_key_expired access_token_expired"
        " access_token_type_unsupported credentials_missing invalid_credential invalid_api_key"
        " invalid_key expired_api_key authentication_error invalid_authentication token_not_found_in_db"
        " expired_key",
        words=r"""api[\ _-]?key\ (?:is\ |was\ |has\ )?
              (?:not\ (?:valid|found)|invalid|expired|missing|revoked|disabled|required)
            | (?:invalid|incorrect|wrong|expired|missing|unknown|revoked|disabled)
              \ (?:api|virtual|proxy)?[\ _-]?(?:server\ )?(?:key|token\ passed)\b
            | unregistered\ callers | invalid\ authentication
            | no\ (?:auth|api\ key|credentials)\b.{0,20}(?:found|provided)
            | (?:access\ )?token\ (?:has\ )?expired""",
    ),
)  # fmt: skip

# "limit: 0", also OpenAI's "Limit 0, Used 0"; not "limit: 0.5" or "limit: 0,5".
_ZERO_LIMIT: Final = re.compile(r"\blimit\b['\"]?\s*[:=]?\s*0(?![\d.,]*\d)", re.IGNORECASE)
_FREE_TIER: Final = re.compile(r"free[ _-]?tier", re.IGNORECASE)
_ZERO: Final = AccountError(
    ModelUnavailable,
    "The account's quota for this model is 0, and waiting does not change that: request a higher one, or"
    " choose another model.",
)
_NOT_IN_FREE_TIER: Final = AccountError(
    ModelUnavailable,
    "The free tier does not include this model, and waiting does not change that: enable billing for the"
    " account's project, or choose another model.",
)


def account_error(message: str, *, reasons: Collection[str] = ()) -> AccountError | None:
    """Return which error of the account this is; None if it seems to be one of the request.

    ``reasons`` are the response's machine-readable codes, ``message`` is what it says to people.
    """
    codes = {reason.lower() for reason in reasons}
    for rule in _RULES:
        if codes & rule.reasons:
            return rule.error
    for rule in _RULES:
        if rule.words.search(message):
            return rule.error
    return None


def zero_quota(message: str, *, is_zero: bool = False) -> AccountError | None:
    """Return the error of a quota of 0, which no waiting changes; None for a quota that is used up.

    ``message`` is what the response says, names of quotas included; ``is_zero`` says that its details
    name a limit of 0.
    """
    if not is_zero and not _ZERO_LIMIT.search(message):
        return None
    return _NOT_IN_FREE_TIER if _FREE_TIER.search(message) else _ZERO


def fill_in(advice: str, *, key: str, url: str = "") -> str:
    """Return ``advice`` with the place of the key and the page where an API is enabled."""
    where = f" at {url}" if url else " in its console"
    return advice.replace("{url}", where).replace("{key}", key or "the settings")
