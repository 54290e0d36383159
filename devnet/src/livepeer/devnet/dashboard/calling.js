/**
 * How a capability is called: a form of its input, the answer, and the same call as a command.
 */

import { Answer } from "./answer.js";
import { addressOf, call } from "./call.js";
import { schemaOf } from "./card.js";
import { Command } from "./command.js";
import { curlOf } from "./commands.js";
import { element } from "./dom.js";
import { Form } from "./form.js";
import { NetworkChoice } from "./networks.js";
import { Problem } from "./problems.js";

const USUAL_SECONDS = 120;

/** The panel of a capability that answers calls. */
export class CallPanel {
  #entry = null;
  #network = null;
  #schema = null;
  #schemaText = null;
  #form = null;
  #path = "/";
  #stop = null;
  #commandTurn = 0;

  constructor(name) {
    this.name = name;
    this.answer = new Answer();
    this.networks = new NetworkChoice(name, "Call it over");
    this.fields = element("div");
    this.seconds = element("input", {
      type: "number",
      min: 1,
      max: 86400,
      step: 1,
      required: true,
      id: `seconds-${name}`,
    });
    this.path = element("input", {
      type: "text",
      required: true,
      pattern: "/.*",
      id: `path-${name}`,
      spellcheck: "false",
    });
    this.run = element("button", { type: "submit", class: "primary" }, "Run");
    this.stop = element("button", { type: "button", hidden: true, click: () => this.#stop?.abort() }, "Stop");
    this.command = new Command("The same call with curl");
    this.element = this.#layOut();
  }

  /** Show what is registered now; null if it is gone. */
  update(entry, network) {
    this.#network = network;
    this.#entry = entry;
    this.run.disabled = !entry || this.#stop !== null;
    if (!entry) return;
    this.networks.update(entry);
    const text = entry.workers.find((worker) => worker.schema)?.schema ?? "";
    // A worker that restarts has no schema for a moment; what was typed outlasts that.
    if (this.#form === null || (text && text !== this.#schemaText)) this.#showForm(text);
    this.#showCommand();
  }

  #layOut() {
    const options = element(
      "details",
      {},
      element("summary", {}, "Options"),
      element(
        "div",
        { class: "field" },
        element("label", { for: this.seconds.id }, "Time limit in seconds"),
        this.seconds,
      ),
      element("div", { class: "field" }, element("label", { for: this.path.id }, "Path"), this.path),
    );
    // A browser cannot point at a field that is folded away.
    options.addEventListener("invalid", () => options.setAttribute("open", ""), true);
    const form = element(
      "form",
      { submit: (event) => this.#submit(event), input: () => this.#showCommand() },
      element("h3", {}, "Input"),
      this.networks.element,
      this.fields,
      options,
      element("div", { class: "buttons" }, this.run, this.stop),
    );
    return element(
      "div",
      { class: "call" },
      form,
      element("div", { class: "result" }, this.answer.element, this.command.element),
    );
  }

  #showForm(text) {
    this.#schemaText = text;
    this.#schema = schemaOf(this.#entry);
    const older = this.#form;
    this.#form = new Form(this.#schema?.input ?? null, () => this.#showCommand());
    if (older) this.#form.adopt(older).then(() => this.#showCommand());
    this.fields.replaceChildren(this.#form.element);
    const wasUntouched = !older || this.path.value === this.#path;
    this.#path = this.#schema?.path ?? "/";
    if (wasUntouched) this.path.value = this.#path;
    if (!older) this.seconds.value = Math.ceil(this.#entry.card.deadline_seconds ?? USUAL_SECONDS);
  }

  #address() {
    const seconds = Math.max(1, Math.round(Number(this.seconds.value)));
    return addressOf(this.networks.registration(this.#entry), this.name, this.path.value, seconds);
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#stop) return;
    this.#stop = new AbortController();
    this.run.disabled = true;
    try {
      const input = await this.#form.read();
      if (input !== null && this.#entry) await this.#send(JSON.stringify(input.value));
    } finally {
      this.#stop = null;
      this.stop.hidden = true;
      this.run.disabled = !this.#entry;
    }
  }

  async #send(body) {
    const seconds = Number(this.seconds.value);
    this.stop.hidden = false;
    this.answer.begin(this.#schema);
    try {
      for await (const part of call(this.#address(), body, seconds, this.#stop.signal)) this.answer.add(part);
      this.answer.end();
    } catch (error) {
      this.#fail(error, seconds);
    }
  }

  #fail(error, seconds) {
    if (error.name === "AbortError") {
      this.answer.end("Stopped");
      return;
    }
    const late =
      error.name === "TimeoutError" && new Problem("The call took too long", { detail: `It had ${seconds} seconds.` });
    const problem =
      late || (error instanceof Problem ? error : new Problem("The page failed", { detail: String(error) }));
    const elsewhere = this.#form.show(problem.fields);
    this.answer.fail({ ...problem, title: problem.title, fields: elsewhere });
    this.answer.end("Failed");
  }

  async #showCommand() {
    const turn = (this.#commandTurn += 1);
    const input = await this.#form.read({ quietly: true });
    if (!this.#entry || turn !== this.#commandTurn) return; // Reading a file takes a while; the latest turn shows it.
    const address = this.#address();
    const { gateway_url: gateway, orchestrator_urls: orchestrators } = this.#network;
    const url = address.node === "gateway" ? gateway : orchestrators[Number(address.node.split("/")[1])];
    const body = JSON.stringify(input?.value ?? {});
    const { command, isLong } = curlOf(address, body, url);
    this.command.show(command, isLong ? body : null);
  }
}
