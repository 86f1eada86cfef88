/* The main job with a client in TypeScript, whose types openapi-typescript has written: plan, start, wait,
   review, escalate, publish, read. Type-checked and run by test_clients. */

import assert from "node:assert";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [url, token, product] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({
  baseUrl: url,
  headers: { Accept: "application/json; version=1", Authorization: `Basic ${token}` },
});

function found<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

async function waitFor(run: number): Promise<number> {
  const path = { id: run };
  for (;;) {
    const progress = found(await client.GET("/runs/{id}/progress/", { params: { path } }));
    if (progress.over) {
      assert.equal(progress.counts["succeeded"], 1);
      break;
    }
    await new Promise((resume) => setTimeout(resume, 200));
  }
  const images = found(await client.GET("/images/", { params: { query: { run } } }));
  assert.equal(images.results.length, 1);
  return images.results[0]!.id;
}

const wanted = {
  model: "testcatalog.mug", objects: [product], scenes: ["marble"], ratio: "4:5",
} as components["schemas"]["PlanRequestRequest"];
const plan = found(await client.POST("/plans/", { body: wanted }));
assert.deepEqual([plan.summary.missing, plan.is_free], [1, true]);

const start = {
  body: wanted as components["schemas"]["RunRequestRequest"],
  params: { header: { "Idempotency-Key": "main-job" } },
};
const run = found(await client.POST("/runs/", start));
const again = await client.POST("/runs/", start);
assert.deepEqual([again.response.status, found(again).id], [200, run.id]);

const draft = await waitFor(run.id);
const path = { id: draft };
const approved = found(
  await client.POST("/images/{id}/approve/", { params: { path }, body: { note: "Good light" } }),
);
assert.equal(approved.state, "approved");
const refused = await client.POST("/images/{id}/approve/", { params: { path }, body: { note: "" } });
assert.equal(refused.error?.code, "illegal_move");

const escalate = { tier: "premium", candidates: 1 } as components["schemas"]["EscalateRequest"];
const started = found(
  await client.POST("/images/{id}/escalate/", { params: { path }, body: escalate }),
);
const final = await waitFor(started.run);
found(
  await client.POST("/images/{id}/approve/", { params: { path: { id: final } }, body: { note: "" } }),
);
const place = { slot: "hero", locale: "de" } as components["schemas"]["PublishRequest"];
const placement = found(
  await client.POST("/images/{id}/publish/", { params: { path: { id: final } }, body: place }),
);
const query = { model: "testcatalog.mug", object: [product], slot: "hero", locale: "de-at" };
const page = found(await client.GET("/placements/", { params: { query } }));
assert.deepEqual(page.results.map((each) => [each.id, each.image]), [[placement.id, final]]);
assert.ok(page.results[0]!.srcset && page.results[0]!.object_state === "visible");
