"""Errors of the account pause the provider and say what helps; errors of a request fail it alone."""

from __future__ import annotations

import json

import pytest

from nb_catalog.exceptions import (
    AccountBlocked,
    BackoffScope,
    Billed,
    ContentRefused,
    DailyQuotaReached,
    KeyRejected,
    ModelRetired,
    ModelUnavailable,
    OutcomeUnknown,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    WrongService,
)
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.openai_images import OpenAIImagesProvider
from nb_catalog.providers.types import RawResponse

RPC = "type.googleapis.com/google.rpc."
ACTIVATION = "https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview?project=98765"
QUOTA_TEXT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on"
    " this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. "
)
FREE = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
NOT_SERVED = "does not serve the place"


def google(code, status, message, *details):
    return code, {
        "error": {"code": code, "status": status, "message": message, "details": list(details)}
    }


def info(reason, **metadata):
    return {
        "@type": f"{RPC}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


def quota(*violations):
    return {"@type": f"{RPC}QuotaFailure", "violations": list(violations)}


def violation(quota_id, *, value=None, metric=FREE, model="gemini-2.5-flash-preview-image"):
    dimensions = {"location": "global", "model": model}
    entry = {"quotaMetric": metric, "quotaId": quota_id, "quotaDimensions": dimensions}
    return entry if value is None else {**entry, "quotaValue": value}


RETRY = {"@type": f"{RPC}RetryInfo", "retryDelay": "28s"}

# As Google sends them: (status, body), our error, what its message says.
OF_GOOGLE = [
    (google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
     AccountBlocked, NOT_SERVED),
    (google(400, "FAILED_PRECONDITION", "Image generation is not available in your country."),
     AccountBlocked, NOT_SERVED),
    (google(400, "FAILED_PRECONDITION", "Gemini API free tier is not available in your country. Please"
            " enable billing on your project in Google AI Studio."), ProviderStopped, "billing"),
    (google(400, "FAILED_PRECONDITION", "Precondition check failed."), AccountBlocked, "condition"),
    (google(400, "INVALID_ARGUMENT", "Imagen API is only accessible to billed users at this time."),
     ProviderStopped, "billing"),
    (google(403, "PERMISSION_DENIED", "This API method requires billing to be enabled. Please enable billing"
            " on project #98765 by visiting https://console.developers.google.com/billing/enable?project="
            "98765 then retry.", info("BILLING_DISABLED")), ProviderStopped, "billing"),
    (google(403, "PERMISSION_DENIED", "Generative Language API has not been used in project 98765 before or"
            f" it is disabled. Enable it by visiting {ACTIVATION} then retry.",
            info("SERVICE_DISABLED", activationUrl=ACTIVATION)),
     AccountBlocked, f"enable it at {ACTIVATION}"),
    (google(403, "PERMISSION_DENIED", "Gemini API has not been used in project 98765 before or it is"
            f" disabled. Enable it by visiting {ACTIVATION} then retry."),
     AccountBlocked, f"enable it at {ACTIVATION}"),
    (google(403, "PERMISSION_DENIED", "No.", info("SERVICE_DISABLED")), AccountBlocked, "enable it"),
    (google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
            info("API_KEY_INVALID")), KeyRejected, "Set the key in"),
    (google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", info("API_KEY_INVALID")),
     KeyRejected, "Set the key in"),
    (google(400, "INVALID_ARGUMENT", "API key not found. Please pass a valid API key."),
     KeyRejected, "Set the key in"),
    (google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
     KeyRejected, "was published"),
    (google(403, "PERMISSION_DENIED", "Requests from referer <empty> are blocked.",
            info("API_KEY_HTTP_REFERRER_BLOCKED")), KeyRejected, "restrictions"),
    (google(403, "PERMISSION_DENIED", "Requests to this API generativelanguage.googleapis.com method"
            " google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent are blocked.",
            info("API_KEY_SERVICE_BLOCKED")), KeyRejected, "restrictions"),
    (google(403, "PERMISSION_DENIED", "Permission denied: Consumer 'api_key:AIzaSyA' has been suspended.",
            info("CONSUMER_SUSPENDED")), AccountBlocked, "suspended"),
    (google(403, "PERMISSION_DENIED", "Permission denied: Consumer 'project:1' has been suspended."),
     AccountBlocked, "suspended"),
    (google(403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support."),
     AccountBlocked, "suspended"),
    (google(403, "PERMISSION_DENIED", "Project 98765 has been deleted.", info("CONSUMER_INVALID")),
     AccountBlocked, "deleted"),
    (google(403, "PERMISSION_DENIED", "Request is prohibited by organization's policy.",
            info("SECURITY_POLICY_VIOLATED")), AccountBlocked, "policy of the organization"),
    (google(403, "PERMISSION_DENIED", "Constraint constraints/gcp.restrictServiceUsage violated for projects"
            "/1 attempting to use service."), AccountBlocked, "policy of the organization"),
    (google(400, "FAILED_PRECONDITION", "Organization Policy constraint constraints/vertexai.allowedModels"
            " violated for projects/1 attempting to use a disallowed Gen AI model."),
     ModelUnavailable, "administrator"),
    (google(403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied on resource"
            " '//aiplatform.googleapis.com/projects/p' (or it may not exist).",
            info("IAM_PERMISSION_DENIED")), KeyRejected, "permission"),
    (google(400, "INVALID_ARGUMENT", "User has requested a restricted HarmBlockThreshold setting BLOCK_NONE."
            " You can get access either (a) through an allowlist."), AccountBlocked, "safety_settings"),
    (google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access"
            " token.", info("ACCESS_TOKEN_TYPE_UNSUPPORTED")), KeyRejected, "Set the key in"),
    (google(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers (callers without"
            " established identity)."), KeyRejected, "Set the key in"),
    (google(429, "RESOURCE_EXHAUSTED", f"{QUOTA_TEXT}\n* Quota exceeded for metric: {FREE}, limit: 0, model:"
            " gemini-2.5-flash-preview-image\nPlease retry in 17.7s.", RETRY),
     ModelUnavailable, "free tier does not include"),
    (google(429, "RESOURCE_EXHAUSTED", QUOTA_TEXT, quota(
        violation("GenerateContentInputTokensPerModelPerMinute-FreeTier"),
        violation("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
        violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier")), RETRY),
     ModelUnavailable, "free tier does not include"),
    (google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: generativelanguage.googleapis.com/"
            "generate_requests_per_model_per_day\nlimit: 0", quota(violation("RequestsPerDay", metric="m"))),
     ModelUnavailable, "quota for this model is 0"),
    (google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Generate Content API requests per"
            " minute'.", info("RATE_LIMIT_EXCEEDED", quota_limit_value="0")), ModelUnavailable, "is 0"),
    (google(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), ProviderStopped, "credit"),
    (google(402, "RESOURCE_EXHAUSTED", "No."), ProviderStopped, "billing page"),
    (google(400, "FAILED_PRECONDITION", "Project `p` is not allowed to use Publisher Model `projects/p/"
            "locations/l/publishers/google/models/m`"), ModelUnavailable, "may not use the model"),
    (google(404, "NOT_FOUND", "Publisher Model `projects/p/locations/l/publishers/google/models/m` was not"
            " found or your project does not have access to it."), ModelUnavailable, "may not use the model"),
    (google(404, "NOT_FOUND", "This model models/m is no longer available to new users."),
     ModelUnavailable, "may not use the model"),
]  # fmt: skip

# A request's own fault, or a matter of time: these pause no provider until a person acts.
NOT_THE_ACCOUNT = [
    (google(400, "INVALID_ARGUMENT", "Unsupported MIME type: image/tiff"), RequestRejected),
    (google(400, "INVALID_ARGUMENT", "Unable to process input image. Please retry or report in https://"
            "developers.generativeai.google/guide/troubleshooting"), RequestRejected),
    (google(400, "INVALID_ARGUMENT", "Invalid JSON payload received. Unknown name \"location\": Cannot find"
            " field."), RequestRejected),
    (google(400, "FAILED_PRECONDITION", "The File files/x is not in an ACTIVE state and usage is not"
            " allowed."), RequestRejected),
    (google(403, "PERMISSION_DENIED", "You do not have permission to access the File x or it may not exist."),
     RequestRejected),
    (google(429, "RESOURCE_EXHAUSTED", f"{QUOTA_TEXT}\n* Quota exceeded for metric: {FREE}, limit: 20, model:"
            " gemini-2.5-flash", quota(violation("RequestsPerDay-FreeTier", value="20")), RETRY),
     DailyQuotaReached),
    (google(429, "RESOURCE_EXHAUSTED", f"{QUOTA_TEXT} limit: 0.5"), RateLimited),
    (google(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."), RateLimited),
    (google(429, "RESOURCE_EXHAUSTED", QUOTA_TEXT, quota(
        violation("GenerateRequestsPerMinutePerProjectPerModel", value="10"))), RateLimited),
]  # fmt: skip


def openai(status, message, *, code=None, kind="invalid_request_error"):
    return status, {"error": {"message": message, "type": kind, "code": code, "param": None}}


OF_GATEWAYS = [
    (openai(401, "Incorrect API key provided: sk-1.", code="invalid_api_key"), KeyRejected, "Set the key in"),
    ((401, {"error": {"message": "No auth credentials found", "code": 401}}), KeyRejected, "Set the key in"),
    ((401, {"detail": "Invalid API key"}), KeyRejected, "Set the key in"),
    ((400, {"error": {"message": "API key not valid. Please pass a valid API key.", "code": 400}}),
     KeyRejected, "Set the key in"),
    (openai(402, "Insufficient credits. Add more using https://x.test/credits", code=402),
     ProviderStopped, "credit"),
    (openai(403, "用户额度不足", code="insufficient_user_quota"), ProviderStopped, "credit"),
    (openai(429, "You exceeded your current quota.", code="insufficient_quota"), ProviderStopped, "credit"),
    (openai(429, "Your account is not active, please check your billing details.",
            code="billing_not_active"), ProviderStopped, "billing"),
    (openai(400, "Budget has been exceeded! Current cost: 10, Max budget: 10", kind="budget_exceeded"),
     ProviderStopped, "limit"),
    (openai(400, "Your credit balance is too low to access the API."), ProviderStopped, "credit"),
    (openai(403, "Country, region, or territory not supported",
            code="unsupported_country_region_territory"), AccountBlocked, NOT_SERVED),
    (openai(400, "User location is not supported for the API use."), AccountBlocked, NOT_SERVED),
    (openai(403, "Your organization must be verified to use the model `gpt-image-1`."),
     ModelUnavailable, "may not use the model"),
    (openai(404, "The model `x` does not exist or you do not have access to it.", code="model_not_found"),
     ModelUnavailable, "may not use the model"),
    (openai(403, "Your account has been deactivated.", code="account_deactivated"),
     AccountBlocked, "suspended"),
    (openai(429, "Rate limit reached for m in organization o on images per min: Limit 0, Used 0, Requested"
            " 1."), ModelUnavailable, "is 0"),
    # What the service behind a gateway said, wrapped.
    ((500, {"error": {"message": json.dumps(google(403, "PERMISSION_DENIED", "No.",
            info("SERVICE_DISABLED"))[1]), "code": 500}}), AccountBlocked, "enable it"),
    ((429, {"error": {"message": json.dumps(google(429, "RESOURCE_EXHAUSTED", f"{FREE}, limit: 0")[1])}}),
     ModelUnavailable, "free tier"),
    ((400, {"error": {"message": "litellm.BadRequestError: GeminiException - b'{\"error\": {\"message\":"
                      " \"User location is not supported for the API use.\"}}'"}}),
     AccountBlocked, NOT_SERVED),
    ((404, {"detail": "Not Found"}), WrongService, "base_url"),
    (openai(404, "Invalid URL (POST /v1/image/generations)"), WrongService, "base_url"),
    ((405, {"detail": "Method Not Allowed"}), WrongService, "base_url"),
]  # fmt: skip
GATEWAYS_OTHERS = [
    (openai(400, "Invalid size: 7x7", code="invalid_value"), RequestRejected),
    (openai(422, "prompt: field required"), RequestRejected),
    (openai(403, "x requires moderation. Your input was flagged for \"violence\"."), ContentRefused),
    (openai(429, "Rate limit reached: Limit 5, Used 5, Requested 1.", code="rate_limit_exceeded"),
     RateLimited),
    (openai(404, "The model `x` was deprecated.", code="model_not_found"), ModelRetired),
    (openai(500, "The server had an error.", kind="server_error"), OutcomeUnknown),
]  # fmt: skip

# google.rpc.Code has no number for 402.
IN_BATCHES = [case for case in OF_GOOGLE if case[0][0] != 402]


def message_of(value):
    return value[1]["error"]["message"][:60] if "error" in value[1] else str(value[1])


def ids(case):
    return message_of(case[0])


def gemini_error(status, body):
    return GeminiProvider(alias="gemini", api_key="k").response_error(status, {}, body)


def gateway_error(status, body):
    provider = OpenAIImagesProvider(alias="gateway", api_key="k", base_url="https://x.test/v1")
    return provider._error(status, json.dumps(body))


def waits_for_a_person(error):
    assert error.needs_person and error.retryable and error.billed is Billed.NO
    scope = BackoffScope.MODEL if isinstance(error, ModelUnavailable) else BackoffScope.PROVIDER
    assert error.stops == scope


@pytest.mark.parametrize(("answer", "kind", "advice"), OF_GOOGLE, ids=map(ids, OF_GOOGLE))
def test_googles_errors_of_the_account_wait_for_a_person_and_say_what_helps(answer, kind, advice):
    error = gemini_error(*answer)
    assert type(error) is kind
    waits_for_a_person(error)
    assert advice in str(error)
    assert advice in str(error)[:200], "what a pause displays"


@pytest.mark.parametrize(("answer", "kind"), NOT_THE_ACCOUNT, ids=map(ids, NOT_THE_ACCOUNT))
def test_googles_errors_of_a_request_wait_for_nobody(answer, kind):
    error = gemini_error(*answer)
    assert type(error) is kind and not error.needs_person


@pytest.mark.parametrize(("answer", "kind", "advice"), OF_GATEWAYS, ids=map(ids, OF_GATEWAYS))
def test_gateways_errors_of_the_account_wait_for_a_person_and_say_what_helps(answer, kind, advice):
    error = gateway_error(*answer)
    assert type(error) is kind
    waits_for_a_person(error)
    assert advice in str(error)[:200]


@pytest.mark.parametrize(("answer", "kind"), GATEWAYS_OTHERS, ids=map(ids, GATEWAYS_OTHERS))
def test_gateways_errors_of_a_request_wait_for_nobody(answer, kind):
    error = gateway_error(*answer)
    assert type(error) is kind
    assert not error.needs_person or kind is ModelRetired


@pytest.mark.parametrize(("answer", "kind", "advice"), IN_BATCHES, ids=map(ids, IN_BATCHES))
def test_a_batchs_items_have_the_same_faults_by_other_numbers(answer, kind, advice):
    rpc = {400: 3, 401: 16, 403: 7, 404: 5, 429: 8}
    code = 9 if answer[1]["error"]["status"] == "FAILED_PRECONDITION" else rpc[answer[0]]
    item = {key: value for key, value in answer[1]["error"].items() if key != "status"}
    provider = GeminiProvider(alias="gemini", api_key="k")
    line = bytearray(json.dumps({"key": "1.1", "error": {**item, "code": code}}).encode())
    error = provider.parse_line(line, max_bytes=10**6).result
    assert type(error) is kind and advice in str(error)


def test_an_error_in_a_response_with_status_200_is_the_same_error():
    _status, body = google(403, "PERMISSION_DENIED", "No.", info("SERVICE_DISABLED"))
    provider = GeminiProvider(alias="gemini", api_key="k")
    with pytest.raises(AccountBlocked):
        provider.parse(RawResponse(body=json.dumps(body)))
