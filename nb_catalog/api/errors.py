"""Errors as RFC 9457 problem details, for the views of this package only."""

from http import HTTPStatus

from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from nb_catalog.exceptions import (
    InvalidTransition,
    NBCatalogError,
    NotRegistered,
    ObjectGone,
    PictureError,
    ProviderError,
    RequestRefused,
    StorageFailed,
)

MEDIA_TYPE = "application/problem+json"

# The first matching class applies. 422: the request was understood but cannot be fulfilled.
STATUSES = (
    (NotRegistered, HTTPStatus.NOT_FOUND),
    (InvalidTransition, HTTPStatus.CONFLICT),
    (RequestRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ObjectGone, HTTPStatus.GONE),
    (PictureError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StorageFailed, HTTPStatus.SERVICE_UNAVAILABLE),
    (ProviderError, HTTPStatus.BAD_GATEWAY),
    (NBCatalogError, HTTPStatus.BAD_REQUEST),
)


def handle(error, context):
    """Convert ``error`` into a problem response; None for unexpected errors, as DRF expects."""
    if isinstance(error, NBCatalogError):
        set_rollback()
        status = next(status for kind, status in STATUSES if isinstance(error, kind))
        more = {}
        if isinstance(error, RequestRefused):
            more["objections"] = list(error.objections)
        headers = {"Retry-After": "60"} if error.retryable else {}
        data = problem(status=status, code=error.code, detail=str(error), **more)
        return Response(data, status=status, headers=headers)
    response = exception_handler(error, context)
    if response is None:
        return None
    status, data = response.status_code, response.data
    if isinstance(error, drf.ValidationError):
        response.data = problem(
            status=status,
            code="invalid",
            detail=_("Some values are missing or invalid."),
            errors=data if isinstance(data, dict) else {"non_field_errors": data},
        )
    else:
        detail = data.get("detail", "")
        code = getattr(detail, "code", "error")
        response.data = problem(status=status, code=code, detail=str(detail))
    return response


def problem(*, status, code, detail, **more):
    """Return a problem document. ``code`` is stable, for programs; ``detail`` is for people."""
    return {
        "type": f"urn:nb-catalog:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": int(status),
        "detail": detail,
        "code": code,
        **more,
    }
