// Verifies webhooks in Node.js without packages.
import { createHmac, timingSafeEqual } from "node:crypto";

/* Return the event; throw if the message is not from who knows the secret, or is older than five minutes.
   `body` is a Buffer of the bytes as they came, `headers` are in lower case. */
export function verify(body, headers, secret) {
    const id = headers["webhook-id"];
    const timestamp = headers["webhook-timestamp"];
    if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) throw new Error("too old, or too new");
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
    const isValid = (headers["webhook-signature"] ?? "").split(" ").some((each) => {
        const [version, signature] = each.split(",");
        const given = Buffer.from(signature ?? "", "base64");
        return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!isValid) throw new Error("no valid signature");
    return JSON.parse(body);
}
