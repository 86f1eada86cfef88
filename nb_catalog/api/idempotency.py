"""Requests that are carried out once: a key belongs to a user, an address and a whole request."""

import json
from decimal import Decimal
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.response import Response

from nb_catalog.api.errors import KeyReused
from nb_catalog.models import IdempotencyKey

HEADER = "Idempotency-Key"
MAX_LENGTH = 64


class KeyField(serializers.CharField):
    """A client's own name for a request."""

    def __init__(self, **options):
        options = {"default": "", "allow_blank": True, "max_length": MAX_LENGTH} | options
        super().__init__(
            **options, help_text=gettext_lazy("The same key never starts anything twice.")
        )
        self.validators.append(_require_printable)


def _require_printable(key):
    if not key.isprintable():
        raise serializers.ValidationError(
            _("Use visible characters only: letters, digits and punctuation.")
        )


def header_key(request):
    """Return the key in the header of ``request``; "" without one. Raises ``ValidationError``."""
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    try:
        return KeyField(allow_blank=False).run_validation(key)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({HEADER: error.detail}) from error


def key_of(view, body):
    """Return the key of the request, in its header or its ``body``; "" without one.

    Raises ``ValidationError`` if both have one and they differ.
    """
    header, own = view.idempotency_key, body.get("key", "")
    if header and own and header != own:
        message = _("The Idempotency-Key header has a different value.")
        raise serializers.ValidationError({"key": [message]})
    return own or header


def once(view, body, respond, *, prepare=None, replay=Response):
    """Return ``respond()``, or if this request has been carried out before, ``replay(its data)``.

    Everything that ``respond`` writes is committed together with the key: a request that arrives
    meanwhile waits, and one that fails leaves its key unused. ``prepare()`` is called before that, unless the
    key is known, and what it writes stays. ``If-Match`` is compared only if the request has not been carried
    out: the first time has changed what it names. Raises ``KeyReused`` for a request that differs from the
    one that its key belongs to.
    """
    key = key_of(view, body)
    request = view.request
    digest = _digest([str(request.user.pk), request.path, key])
    if prepare and not (key and IdempotencyKey.objects.filter(digest=digest).exists()):
        prepare()
    if not key:
        return view.as_seen(respond)
    fields = {name: _digest(value)[:16] for name, value in body.items() if name != "key"}
    with transaction.atomic():
        try:
            # Inserted, not looked up first: of two requests at once the second waits here.
            with transaction.atomic():
                row = IdempotencyKey.objects.create(digest=digest, body=fields)
        except IntegrityError:
            row = IdempotencyKey.objects.select_for_update().get(digest=digest)
            names = sorted(
                name for name in {*row.body, *fields} if row.body.get(name) != fields.get(name)
            )  # fmt: skip
            if names:
                message = _(
                    "The key “%(key)s” belongs to an earlier request with a different %(names)s. Use a new "
                    "key for a new request."
                )
                raise KeyReused(message % {"key": key, "names": ", ".join(names)}) from None
            return replay(row.response)
        response = view.as_seen(respond)
        row.response = response.data
        row.save(update_fields=["response"])
        return response


def _digest(value):
    # 5 and 5.00 are the same amount.
    text = json.dumps(
        value,
        sort_keys=True,
        default=lambda each: (
            format(each.normalize(), "f") if isinstance(each, Decimal) else str(each)
        ),
    )
    return sha256(text.encode()).hexdigest()
