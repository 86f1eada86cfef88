"""The main job with a generated client: plan, start, wait, review, escalate, publish, read.

Run by ``test_clients``; ``catalog_client`` is what openapi-python-client has written.
"""

import sys
import time

from catalog_client.api.image import image_approve, image_escalate, image_list, image_publish
from catalog_client.api.placement import placement_list
from catalog_client.api.plan import plan_create
from catalog_client.api.run import run_create, run_list, run_progress
from catalog_client.client import AuthenticatedClient
from catalog_client.models import (
    EscalateRequest,
    NoteRequest,
    PlanRequestRequest,
    Problem,
    PublishRequest,
    RunListOrdering,
    RunRequestRequest,
)

url, token, product = sys.argv[1:]
client = AuthenticatedClient(
    base_url=url,
    token=token,
    prefix="Basic",
    headers={"Accept": "application/json; version=1"},
    raise_on_unexpected_status=True,
)
wanted = {"model": "testcatalog.mug", "objects": [product], "scenes": ["marble"], "ratio": "4:5"}


def wait_for(run):
    while not (progress := run_progress.sync(run, client=client)).over:
        time.sleep(0.2)
    assert progress.counts.additional_properties["succeeded"] == 1, progress
    [image] = image_list.sync(client=client, run=run).results
    return image.id


plan = plan_create.sync(client=client, body=PlanRequestRequest.from_dict(wanted))
assert (plan.summary.missing, plan.is_free) == (1, True), plan
body = RunRequestRequest.from_dict(wanted)
run = run_create.sync(client=client, body=body, idempotency_key="main-job")
again = run_create.sync_detailed(client=client, body=body, idempotency_key="main-job")
assert (again.status_code, again.parsed.id) == (200, run.id)

draft = wait_for(run.id)
approved = image_approve.sync(draft, client=client, body=NoteRequest(note="Good light"))
assert approved.state == "approved"
refused = image_approve.sync(draft, client=client, body=NoteRequest())
assert isinstance(refused, Problem) and refused.code == "illegal_move"

body = EscalateRequest.from_dict({"tier": "premium", "candidates": 1})
final = wait_for(image_escalate.sync(draft, client=client, body=body).run)
image_approve.sync(final, client=client, body=NoteRequest())
placement = image_publish.sync(
    final, client=client, body=PublishRequest.from_dict({"slot": "hero", "locale": "de"})
)
page = placement_list.sync(
    client=client, model="testcatalog.mug", object_=[product], slot="hero", locale="de-at"
)
[shown] = page.results
assert (shown.id, shown.image, page.next_) == (placement.id, final, None), page
assert shown.srcset and shown.object_state == "visible"
newest = RunListOrdering("-created_at")
assert run_list.sync(client=client, ordering=newest, page_size=1).next_
