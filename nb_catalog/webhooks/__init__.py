"""Webhooks: events are sent to the addresses of hosts, by the scheme of https://www.standardwebhooks.com."""

from nb_catalog.webhooks.endpoints import (
    MAX_ENDPOINTS,
    create,
    failing_endpoints,
    resend,
    rotate,
    send_test,
    switch_off,
    switch_on,
    update,
)
from nb_catalog.webhooks.failures import describe_disabled, describe_failure
from nb_catalog.webhooks.outbox import prune
from nb_catalog.webhooks.sending import in_background, send_due
from nb_catalog.webhooks.targets import refusal

__all__ = [
    "MAX_ENDPOINTS",
    "create",
    "describe_disabled",
    "describe_failure",
    "failing_endpoints",
    "in_background",
    "prune",
    "refusal",
    "resend",
    "rotate",
    "send_due",
    "send_test",
    "switch_off",
    "switch_on",
    "update",
]
