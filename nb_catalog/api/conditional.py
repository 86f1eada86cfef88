"""Entity tags of what is returned, and requests that depend on them (RFC 9110, section 13)."""

import json
from hashlib import sha256
from http import HTTPStatus

from django.http import HttpResponseNotModified
from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException
from rest_framework.utils.encoders import JSONEncoder

KEPT_HEADERS = ("Cache-Control", "Content-Language", "ETag", "Vary")


class PreconditionFailed(APIException):
    """The row is not as the client has seen it; ``etag`` is its current tag."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_code = "precondition_failed"
    default_detail = gettext_lazy(
        "Someone else has changed this since you have seen it. Fetch it again; the header ETag has its state."
    )

    def __init__(self, *, etag):
        super().__init__()
        self.etag = etag


def etag_of(data, *, addresses_in=frozenset()):
    """Return the entity tag of ``data``: of its values, and of the addresses of files, which are what its
    fields ``addresses_in`` have."""
    # Some storages sign them again each time. They are a part of the tag of their own, which a client's cache
    # must match, and a client that changes the row need not.
    addresses = []

    def values(item):
        if isinstance(item, dict):
            addresses.extend(value for name, value in item.items() if name in addresses_in)
            return {name: values(value) for name, value in item.items() if name not in addresses_in}
        return [values(each) for each in item] if isinstance(item, list | tuple) else item

    digests = (_digest(values(data))[:24], _digest(addresses)[:8])
    return quote_etag("-".join(digests))


def _digest(value):
    text = json.dumps(value, cls=JSONEncoder, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def is_current(header, etag):
    """Return whether ``If-Match`` names the row that has ``etag`` now."""
    state = etag.partition("-")[0]
    return header.strip() == "*" or state in (
        each.partition("-")[0] for each in parse_etags(header)
    )


def not_modified(request, response):
    """Return a response without a body if ``If-None-Match`` names ``response``; otherwise None."""
    header = request.headers.get("If-None-Match", "")
    tags = [each.removeprefix("W/") for each in parse_etags(header)]
    if response["ETag"] not in tags and "*" not in tags:
        return None
    kept = {name: response[name] for name in KEPT_HEADERS if name in response}
    return HttpResponseNotModified(headers=kept)
