"""A receiver of webhooks that purges product pages from a CDN: ``gunicorn purge_cdn:application``.

Needs ``pip install standardwebhooks``, and in the environment ``WEBHOOK_SECRET``, ``PAGES`` (such as
"https://shop.example/products/{object}/"), and either ``CLOUDFLARE_ZONE`` and ``CLOUDFLARE_TOKEN``, or
``FASTLY_TOKEN``.
"""

import json
import os
import urllib.request

from standardwebhooks import Webhook, WebhookVerificationError

CHANGES = {"picture.published", "picture.withdrawn"}


def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
    try:
        event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, headers)
    except WebhookVerificationError:
        start_response("401 Unauthorized", [])
        return []
    if event["type"] in CHANGES:
        # An error becomes a 500 of the server, and the event comes again. To purge twice does no harm.
        purge(os.environ["PAGES"].format(**event["data"]))
    start_response("204 No Content", [])
    return []


def purge(page):
    zone = os.environ.get("CLOUDFLARE_ZONE")
    if zone:
        api = os.environ.get("CLOUDFLARE_API", "https://api.cloudflare.com/client/v4")
        request = urllib.request.Request(
            f"{api}/zones/{zone}/purge_cache",
            data=json.dumps({"files": [page]}).encode(),
            headers={
                "Authorization": f"Bearer {os.environ['CLOUDFLARE_TOKEN']}",
                "Content-Type": "application/json",
            },
        )
    else:
        api = os.environ.get("FASTLY_API", "https://api.fastly.com")
        headers = {"Fastly-Key": os.environ["FASTLY_TOKEN"]}
        address = f"{api}/purge/{page.removeprefix('https://')}"
        request = urllib.request.Request(address, headers=headers, method="POST")
    urllib.request.urlopen(request, timeout=10).close()
