"""The receivers of the documentation, run as they are against a CDN and a chat on this machine."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from nb_catalog import publishing, webhooks
from nb_catalog.core.event_types import FIELDS, EventType
from nb_catalog.models import WebhookDelivery
from nb_catalog.signals import events
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Nothing."""


@contextmanager
def serving(name):
    """A receiver of the documentation, and its address."""
    application = runpy.run_path(str(DOCS / "receivers" / name))["application"]
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def endpoint(url, monkeypatch, **options):
    made, secret = webhooks.create(url=url, **options)
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    return made


@pytest.mark.parametrize("cdn", ["cloudflare", "fastly"])
def test_a_published_picture_purges_its_page_from_the_cdn(receiver, monkeypatch, cdn):
    monkeypatch.setenv("PAGES", "https://shop.example/products/{object}/")
    monkeypatch.setenv("CLOUDFLARE_API", receiver.root)
    monkeypatch.setenv("FASTLY_API", receiver.root)
    monkeypatch.setenv("CLOUDFLARE_TOKEN", "token")
    monkeypatch.setenv("FASTLY_TOKEN", "token")
    if cdn == "cloudflare":
        monkeypatch.setenv("CLOUDFLARE_ZONE", "zone")
    with serving("purge_cdn.py") as url:
        endpoint(url, monkeypatch)
        placement = factories.published()
        publishing.withdraw(placement, actor=None)
        webhooks.send_due()
    page = f"shop.example/products/{placement.object_id}/"
    purged = receiver.received
    assert len(purged) == 2, "published and withdrawn"
    if cdn == "cloudflare":
        assert {each.path for each in purged} == {"/zones/zone/purge_cache"}
        assert json.loads(purged[0].body) == {"files": [f"https://{page}"]}
        assert purged[0].headers["Authorization"] == "Bearer token"
    else:
        assert {each.path for each in purged} == {f"/purge/{page}"}
        assert purged[0].headers["Fastly-Key"] == "token"
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_cdn_that_fails_has_the_event_sent_again(receiver, monkeypatch):
    monkeypatch.setenv("PAGES", "https://shop.example/{object}/")
    monkeypatch.setenv("FASTLY_API", receiver.root)
    monkeypatch.setenv("FASTLY_TOKEN", "token")
    with serving("purge_cdn.py") as url:
        endpoint(url, monkeypatch, events=["picture.published"])
        mug = factories.product(photo=False)
        receiver.answers[f"/purge/shop.example/{mug.pk}/"] = (503, {})
        factories.published(mug)
        webhooks.send_due(seconds=0)
    assert WebhookDelivery.objects.get().error_code == "status"


def test_a_chat_is_told_what_a_person_wants_to_know_and_once(receiver, monkeypatch):
    monkeypatch.setenv("CHAT_URL", f"{receiver.root}/chat")
    monkeypatch.setenv("ADMIN", "https://shop.example/admin/nb_catalog/")
    samples = {
        "counts": {"succeeded": 3, "failed": 1, "refused": 1}, "run": 7, "reason": "day_budget",
        "provider": "gemini", "model": "shop.product", "until": "2026-12-01T00:00:00Z",
        "cause": "account_blocked", "slot": "hero", "object": "12",
    }  # fmt: skip
    with serving("tell_chat.py") as url:
        endpoint(url, monkeypatch)
        for event in EventType:
            facts = {name: samples.get(name, "") for name in FIELDS[event]}
            events.record(event, [facts])
        webhooks.send_due()
        webhooks.resend(WebhookDelivery.objects.all())
        webhooks.send_due()
    told = sorted(json.loads(each.body)["text"] for each in receiver.received)
    assert told == [
        "Nothing is sent to gemini shop.product until 2026-12-01T00:00:00Z (account_blocked).",
        "Run 7 has ended: 3 made, 2 failed. https://shop.example/admin/nb_catalog/run/7/change/",
        "Run 7 is paused: day_budget. https://shop.example/admin/nb_catalog/run/7/change/",
        "The picture in hero of shop.product 12 is out of date.",
    ]


@pytest.mark.parametrize("name", ["purge_cdn.py", "tell_chat.py"])
def test_a_receiver_refuses_what_is_not_signed_with_its_secret(receiver, monkeypatch, name):
    with serving(name) as url:
        endpoint(url, monkeypatch)
        monkeypatch.setenv("WEBHOOK_SECRET", "whsec_" + "A" * 32)
        factories.published()
        webhooks.send_due(seconds=0)
    assert WebhookDelivery.objects.get().status_code == 401 and receiver.received == []


def test_javascript_verifies_what_is_sent(receiver, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js")
    made, secret = webhooks.create(url=f"{receiver.root}/ok")
    webhooks.rotate(made)
    webhooks.send_test(made)
    webhooks.send_due()
    [request] = receiver.received
    headers = {name.lower(): value for name, value in request.headers.items()}
    script = tmp_path / "run.mjs"
    script.write_text(
        f"import {{ verify }} from {json.dumps(str(DOCS / 'receivers' / 'verify.mjs'))};\n"
        f"const headers = {json.dumps(headers)}, body = Buffer.from({json.dumps(request.body.decode())});\n"
        f"console.log(verify(body, headers, {json.dumps(secret)}).type);\n"
        f"for (const wrong of [[Buffer.from('{{}}'), headers, {json.dumps(secret)}],\n"
        "                     [body, headers, 'whsec_AAAA'],\n"
        f"                     [body, {{...headers, 'webhook-timestamp': '1'}}, {json.dumps(secret)}],\n"
        f"                     [body, {{}}, {json.dumps(secret)}]])\n"
        "    try { verify(...wrong); console.log('accepted'); } catch { console.log('refused'); }\n"
    )
    ran = subprocess.run([node, script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == ["webhook.test", *["refused"] * 4], ran.stdout


def test_the_page_lists_every_event_with_its_fields():
    page = (DOCS / "webhooks.md").read_text()
    for event, fields in FIELDS.items():
        [line] = [line for line in page.splitlines() if line.startswith(f"| `{event}` |")]
        assert all(f"`{name}`" in line for name in fields), line
