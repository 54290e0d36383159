/**
 * The answer to the last call: what arrived, as it arrives, how long it took, and what went wrong.
 */

import { counted, element } from "./dom.js";
import { Output } from "./output.js";

/** Where the answers of one capability are shown, one at a time. */
export class Answer {
  #output = null;
  #started = 0;
  #firstByte = null;
  #items = 0;

  constructor() {
    this.status = element("p", { class: "timing", role: "status" });
    this.problem = element("div", { class: "problem", role: "alert", hidden: true });
    this.shown = element("div", { class: "shown", role: "log", "aria-live": "polite", "aria-label": "Answer" });
    const title = element("h3", {}, "Answer");
    this.element = element("section", { class: "answer" }, title, this.status, this.problem, this.shown);
  }

  /** Make room for the answer to a call that is sent now. */
  begin(schema) {
    this.#output?.clear();
    this.#output = new Output(schema);
    this.shown.replaceChildren(this.#output.element);
    this.shown.setAttribute("aria-busy", "true");
    this.problem.hidden = true;
    this.#started = performance.now();
    this.#firstByte = null;
    this.#items = 0;
    this.status.textContent = "Waiting for the answer…";
  }

  /** Show one part, as `call` yields them. */
  add({ opened, event, body }) {
    if (opened) {
      this.#openedAs(opened);
      return;
    }
    this.#firstByte ??= performance.now();
    if (event) {
      this.#items += 1;
      this.#output.addEvent(event);
      this.status.textContent = `Receiving… ${this.#timing()}`;
    }
    if (body) this.#output.addBody(body);
  }

  /** Say that nothing more comes. */
  end(words = "Done") {
    const total = milliseconds(performance.now() - this.#started);
    this.shown.setAttribute("aria-busy", "false");
    this.status.textContent =
      this.#firstByte === null ? `${words} after ${total}` : `${words} · ${this.#timing()}, total ${total}`;
  }

  /** Show how the call ended badly; the fields at fault are shown at the fields. */
  fail({ title, detail, code, requestId, fields }) {
    const rows = fields.map(({ field, reason }) =>
      element("li", {}, field && element("code", {}, field), field && ": ", reason),
    );
    const origin = [code, requestId && `request ${requestId}`].filter(Boolean).join(" · ");
    this.problem.replaceChildren(
      ...[
        element("p", { class: "problem-title" }, title),
        detail && element("p", {}, detail),
        rows.length && element("ul", {}, rows),
        origin && element("p", { class: "problem-origin" }, origin),
      ].filter(Boolean),
    );
    this.problem.hidden = false;
  }

  #openedAs(response) {
    const isOwn = !new URL(response.url).pathname.startsWith("/gateway/");
    const mediaType = response.headers.get("Content-Type");
    if (isOwn && mediaType) this.#output.mediaType = mediaType;
  }

  #timing() {
    const words = `first byte ${milliseconds(this.#firstByte - this.#started)}`;
    return this.#items ? `${words}, ${counted(this.#items, "event")}` : words;
  }
}

function milliseconds(duration) {
  return duration < 1000 ? `${Math.round(duration)} ms` : `${(duration / 1000).toFixed(2)} s`;
}
