"""Why a message was not delivered, as codes that are stored and sentences for people."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext as _

from nb_catalog.models import WebhookDelivery, WebhookEndpoint
from nb_catalog.webhooks.targets import private_network


class Failure(StrEnum):
    STATUS = "status"
    REDIRECT = "redirect"
    GONE = "gone"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105 - a code
    SWITCHED_OFF = "switched_off"


class Disabled(StrEnum):
    """Why an endpoint was switched off without a person."""

    GONE = "gone"
    FAILING = "failing"


def describe_failure(delivery: WebhookDelivery) -> str:
    """Return in a sentence why ``delivery`` was not delivered, and what to do about it; "" if it was."""
    if not delivery.error_code:
        return ""
    sentences = {
        Failure.STATUS: _(
            "The receiver returned status %(status)s. A status from 200 to 299 is expected."
        ),
        Failure.REDIRECT: _(
            "The receiver redirects (status %(status)s), which is not followed. Change the address of the "
            "endpoint."
        ),
        Failure.GONE: _("The receiver wants no more messages (status 410)."),
        Failure.TIMEOUT: _(
            "The receiver did not respond within 15 seconds. It should respond first, and then do the work."
        ),
        Failure.CONNECTION: _("The receiver cannot be reached: check its name and that it runs."),
        Failure.CERTIFICATE: _("The receiver's certificate is not valid for its name, or expired."),
        Failure.ADDRESS: private_network(),
        Failure.SECRET: _(
            "SECRET_KEY has been changed, so the endpoint's secret is no longer known. Rotate it, and "
            "configure the new one at the receiver."
        ),
        Failure.SWITCHED_OFF: _("The endpoint was switched off before it was sent."),
    }
    return sentences[Failure(delivery.error_code)] % {"status": delivery.status_code}


def describe_disabled(endpoint: WebhookEndpoint) -> str:
    """Return why ``endpoint`` was switched off without a person; "" if it was not."""
    return {
        "": "",
        Disabled.GONE: _("It was switched off because the receiver returned status 410 (Gone)."),
        Disabled.FAILING: _("It was switched off because deliveries failed for days."),
    }[endpoint.disabled_reason]
