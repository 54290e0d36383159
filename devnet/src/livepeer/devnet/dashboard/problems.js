/**
 * What an answer that is no success means, in words.
 */

import { isObject } from "./schema.js";

const MEANINGS = [
  [402, "This orchestrator asks for payment"],
  [404, "There is nothing at this address"],
  [503, "Every slot is taken, or the model is not ready"],
  [504, "The call took too long"],
];

/** How a call ended badly: a title, a detail, and what the worker said of its fields. */
export class Problem extends Error {
  constructor(title, { detail = "", code = "", requestId = "", fields = [] } = {}) {
    super(title);
    Object.assign(this, { title, detail, code, requestId, fields });
  }
}

/** Read a problem out of an answer's status and text; the hops lose its media type, so the text tells what it is. */
export function problemOf(status, text) {
  if (status === 400 && /no orchestrators found/i.test(text)) {
    return new Problem("The gateway found nobody for it", {
      detail:
        "Every slot is taken, or it is not registered any more. A slot that a broken-off call has left behind is " +
        "free again once the worker has registered again.",
    });
  }
  const document = parsed(text);
  if (isObject(document)) return problemFrom(document, status);
  const meaning = MEANINGS.find(([known]) => known === status)?.[1];
  return new Problem(meaning ?? `It was refused with status ${status}`, {
    detail: text.trim().slice(0, 1000),
    code: `HTTP ${status}`,
  });
}

/** Read a problem out of the data of an `error` event. */
export function problemOfEvent(data) {
  const document = parsed(data);
  const inner = isObject(document) && isObject(document.error) ? document.error : document;
  return isObject(inner) ? problemFrom(inner, inner.status) : new Problem("The model failed", { detail: data });
}

/** The gateway's answer to a call that every orchestrator failed: 200, and nothing (BYOC contract, section 3). */
export function nobodyAnswered() {
  return new Problem("Every worker that the gateway tried has failed", {
    detail:
      "Or it took longer than its time limit: a gateway does not pass on why. The worker's own log, and a call over " +
      "Live Runner, tell more.",
  });
}

function problemFrom(document, status) {
  const text = (name) => (typeof document[name] === "string" ? document[name] : "");
  const errors = Array.isArray(document.errors) ? document.errors.filter(isObject) : [];
  const words = document.error?.message ?? document.error ?? document.message;
  return new Problem(text("title") || `It was refused with status ${status}`, {
    detail: text("detail") || (typeof words === "string" ? words : ""),
    code: text("code") || `HTTP ${status}`,
    requestId: text("request_id"),
    fields: errors.map(({ field, reason }) => ({ field: String(field ?? ""), reason: String(reason ?? "") })),
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
