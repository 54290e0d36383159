/**
 * A call over either network, from this page.
 *
 * Every request goes to this page's own origin, which hands it on: `/gateway/...` to the gateway,
 * `/orchestrators/{index}/...` to an orchestrator.
 */

import { Payments } from "./payments.js";
import { Problem, nobodyAnswered, problemOf, problemOfEvent } from "./problems.js";
import { eventsOf } from "./sse.js";

const GRACE_SECONDS = 15; // The gateway ends a call by itself within this time after its limit.

/** Where a call goes: the node, the path of the request, its job; where a session is reserved, and how it is paid. */
export function addressOf(registration, name, path, seconds) {
  if (registration.network === "byoc") {
    const job = { request: "{}", parameters: "{}", capability: name, timeout_seconds: seconds };
    return { node: "gateway", path: `/process/request${path}`, job, session: null, unit: null };
  }
  const runner = `/apps/${encodeURIComponent(registration.route)}`;
  const common = { node: `orchestrators/${registration.orchestrator}`, job: null, unit: registration.price_unit };
  if (registration.mode === "single-shot") return { ...common, path: `${runner}/app${path}`, session: null };
  return { ...common, path, session: `${runner}/session` };
}

/**
 * Make a call, and yield what arrives: `{opened: response}`, then `{event}` for each item of a stream or `{body}` for
 * the whole of any other answer.
 *
 * Throws a Problem if the call fails, an AbortError if it was stopped, a TimeoutError if it took too long.
 */
export async function* call(address, body, seconds, stop) {
  const limit = AbortSignal.timeout((seconds + (address.job ? GRACE_SECONDS : 0)) * 1000);
  const stopped = new AbortController();
  const signal = AbortSignal.any([stop, limit, stopped.signal]);
  const payments = address.unit === null ? null : new Payments(address.node, address.unit);
  const post = (path, options) => fetch(`/${address.node}${path}`, { method: "POST", signal, ...options });
  const postPaid = payments ? (path, options) => payments.send(path, { method: "POST", signal, ...options }) : post;
  const session = address.session ? await reserve(address.session, postPaid) : null;
  try {
    const request = { headers: { "Content-Type": "application/json", ...jobHeader(address.job) }, body };
    // A session is paid for, not each call in it.
    const send = () => (session ? post(`${session}/app${address.path}`, request) : postPaid(address.path, request));
    const response = await connected(send);
    yield { opened: response };
    yield* answerOf(response, address);
  } finally {
    payments?.end();
    stopped.abort(); // A gateway floods blank lines after the end of a stream.
    if (session) await post(`${session}/stop`, { signal: null, keepalive: true }).catch(() => {});
  }
}

/** The header that carries a job (BYOC contract, section 3). */
export function jobHeader(job) {
  if (job === null) return {};
  const bytes = new TextEncoder().encode(JSON.stringify(job));
  return { Livepeer: btoa(String.fromCharCode(...bytes)) };
}

async function reserve(path, post) {
  const response = await connected(() => post(path, {}));
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return `${path}/${encodeURIComponent(JSON.parse(text).session_id)}`;
}

async function* answerOf(response, { node }) {
  if (!response.ok) throw problemOf(response.status, await response.text());
  if ((response.headers.get("Content-Type") ?? "").includes("text/event-stream")) {
    yield* streamed(response, node);
    return;
  }
  const body = new Uint8Array(await connected(() => response.arrayBuffer()));
  if (node === "gateway" && !body.length && !response.headers.get("X-Orchestrator-Url")) throw nobodyAnswered();
  yield { body };
}

async function* streamed(response, node) {
  const events = eventsOf(chunksOf(response.body));
  for (;;) {
    const { done, value } = await events.next();
    // Over Live Runner a worker of somebody else's may just stop; a gateway goes on until `data: [DONE]`.
    if (done && !value && node === "gateway") throw brokenOff();
    if (done) return;
    if (value.event === "insufficient balance") throw new Problem("The funds ran out in the middle of the stream");
    if (value.event === "error") throw problemOfEvent(value.data);
    yield { event: value };
  }
}

async function* chunksOf(body) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await connected(() => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

/** The browser calls it a TypeError when a connection breaks off. */
async function connected(send) {
  try {
    return await send();
  } catch (error) {
    throw error instanceof TypeError ? brokenOff() : error;
  }
}

function brokenOff() {
  return new Problem("The connection broke off", {
    detail: "The network or the worker went away before the answer was complete.",
  });
}
