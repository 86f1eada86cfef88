"""A receiver of webhooks that tells a chat: ``gunicorn tell_chat:application``.

Needs ``pip install standardwebhooks``, and in the environment ``WEBHOOK_SECRET``, ``CHAT_URL`` (an incoming
webhook of Slack, or of Mattermost, which takes the same) and ``ADMIN`` (such as
"https://shop.example/admin/nb_catalog/").
"""

import json
import os
import urllib.request

from standardwebhooks import Webhook, WebhookVerificationError

TEXTS = {
    "run.ended": "Run {run} has ended: {made} made, {failed} failed. {admin}run/{run}/change/",
    "budget.reached": "Run {run} is paused: {reason}. {admin}run/{run}/change/",
    "provider.paused": "Nothing is sent to {provider} {model} until {until} ({cause}).",
    "picture.stale": "The picture in {slot} of {model} {object} is out of date.",
}
# The ids of what was told; a service of several processes keeps them in its database.
told = set()


def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
    try:
        event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, headers)
    except WebhookVerificationError:
        start_response("401 Unauthorized", [])
        return []
    text = TEXTS.get(event["type"])
    if text and headers["webhook-id"] not in told:
        tell(text.format(admin=os.environ["ADMIN"], **numbers(event["data"])))
        told.add(headers["webhook-id"])
    start_response("204 No Content", [])
    return []


def numbers(data):
    counts = data.get("counts", {})
    failed = sum(counts.get(state, 0) for state in ("failed", "refused", "unknown"))
    return {**data, "made": counts.get("succeeded", 0), "failed": failed}


def tell(text):
    request = urllib.request.Request(
        os.environ["CHAT_URL"],
        data=json.dumps({"text": text}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
