"""Errors as RFC 9457 problem details, for the views of this package only."""

from http import HTTPStatus

from django.conf import settings as django_settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.utils.log import log_response
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from nb_catalog.core.text import strip_unstorable
from nb_catalog.exceptions import (
    FidelityRefused,
    InvalidTransition,
    NBCatalogError,
    NotRegistered,
    ObjectGone,
    PictureError,
    ProviderError,
    RequestRefused,
    StorageFailed,
    TextError,
)

MEDIA_TYPE = "application/problem+json"
JSON = "application/json"

# The first matching class applies. 422: the request was understood but cannot be fulfilled.
STATUSES = (
    (NotRegistered, HTTPStatus.NOT_FOUND),
    (InvalidTransition, HTTPStatus.CONFLICT),
    (FidelityRefused, HTTPStatus.CONFLICT),
    (RequestRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ObjectGone, HTTPStatus.GONE),
    (PictureError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TextError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StorageFailed, HTTPStatus.SERVICE_UNAVAILABLE),
    (ProviderError, HTTPStatus.BAD_GATEWAY),
    (NBCatalogError, HTTPStatus.BAD_REQUEST),
)


class PayloadTooLarge(drf.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"


class KeyReused(drf.APIException):
    """An idempotency key that belongs to another request."""

    status_code = HTTPStatus.CONFLICT
    default_code = "key_reused"


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
    if isinstance(error, RequestDataTooBig):
        error = too_large()
    elif isinstance(error, SuspiciousOperation | BadRequest):
        # Too many fields, for example. What Django says of them is for its log.
        error = drf.ParseError(_("The request is malformed."))
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
        if etag := getattr(error, "etag", ""):
            response["ETag"] = etag
    return response


def too_large(most=None):
    """Return the error for a body of more than ``most`` bytes, by default what Django's settings allow."""
    most = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE if most is None else most
    message = _("The request is larger than %(most)s bytes, which is all that this server accepts.")
    return PayloadTooLarge(message % {"most": most})


def problem(*, status, code, detail, **more):
    """Return a problem document. ``code`` is stable, for programs; ``detail`` is for people."""
    return _encodable(
        {
            "type": f"urn:nb-catalog:problem:{code}",
            "title": code.replace("_", " ").capitalize(),
            "status": int(status),
            "detail": detail,
            "code": code,
            **more,
        }
    )


def _encodable(value):
    """Return ``value`` without what JSON in UTF-8 cannot hold: messages quote what was sent."""
    if isinstance(value, dict):
        return {strip_unstorable(name): _encodable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(each) for each in value]
    return value if value is None or isinstance(value, int) else strip_unstorable(value)


class ProblemView:
    """Mixin for views whose every error is a problem document, whatever the client accepts."""

    def get_exception_handler(self):
        return handle

    def handle_exception(self, exc):
        """Add to DRF's the errors that nobody expects: logged and reported as Django does."""
        try:
            return super().handle_exception(exc)
        except Exception as error:
            if django_settings.DEBUG or django_settings.DEBUG_PROPAGATE_EXCEPTIONS:
                raise
            set_rollback()
            got_request_exception.send(sender=None, request=self.request._request)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            message = _("Something went wrong on the server. It has been logged.")
            data = problem(status=status, code="server_error", detail=message)
            response = Response(data, status=status)
            response.exception = True
            log_response(
                "%s: %s", response.reason_phrase, self.request.path,
                response=response, request=self.request._request, exception=error,
            )  # fmt: skip
            return response

    def perform_content_negotiation(self, request, force=False):
        """Accept clients that only name the media type of problems: they get JSON."""
        try:
            return super().perform_content_negotiation(request, force)
        except drf.NotAcceptable:
            accepted = (each.split(";")[0] for each in request.headers.get("Accept", "").split(","))
            if MEDIA_TYPE not in (each.strip().lower() for each in accepted):
                raise
            renderers = (each for each in self.get_renderers() if each.media_type == JSON)
            return next(renderers, JSONRenderer()), JSON

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        renderer = getattr(response, "accepted_renderer", None)
        is_json = getattr(renderer, "media_type", "") == JSON
        if response.status_code >= 400 and is_json:
            response.content_type = MEDIA_TYPE
        return response
