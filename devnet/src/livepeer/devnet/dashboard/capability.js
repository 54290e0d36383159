/**
 * One capability: what it is, a form to call it with, its answer, and the same call as a command.
 */

import { Answer } from "./answer.js";
import { addressOf, call } from "./call.js";
import { badges, facts, loadLine, networkName, networksOf, registrationRows, schemaOf } from "./card.js";
import { Command } from "./command.js";
import { element } from "./dom.js";
import { Form } from "./form.js";
import { Problem } from "./problems.js";

const USUAL_SECONDS = 120;
const GONE = "It is not registered any more. It comes back here by itself when its worker registers again.";
const COLUMNS = ["Network", "Orchestrator", "Worker", "State", "In use", "Price", "App"];

/** The view of one capability; it stays while the page is open, so that what was typed and answered stays too. */
export class CapabilityView {
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
    this.title = element("div", { class: "title" });
    this.load = element("div", { class: "health" });
    this.gone = element("p", { class: "gone", role: "status", hidden: true }, GONE);
    this.description = element("p", { class: "description" });
    this.facts = element("dl", { class: "facts" });
    this.rows = element("tbody");
    this.networks = element("div", { class: "choices" });
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
    this.command = new Command();
    this.element = this.#layOut();
  }

  /** Show what is registered now; null if it is gone. */
  update(entry, network) {
    this.gone.hidden = Boolean(entry);
    this.load.hidden = !entry;
    this.#network = network;
    if (entry) this.#show(entry);
    else this.#entry = null;
    this.run.disabled = !entry || this.#stop !== null;
  }

  #layOut() {
    const headings = COLUMNS.map((term) => element("th", { scope: "col" }, term));
    const where = element(
      "details",
      { class: "where" },
      element("summary", {}, "Where it is registered"),
      element(
        "div",
        { class: "scroll" },
        element("table", {}, element("thead", {}, element("tr", {}, headings)), this.rows),
      ),
    );
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
      element("fieldset", { class: "networks" }, element("legend", {}, "Call it over"), this.networks),
      this.fields,
      options,
      element("div", { class: "buttons" }, this.run, this.stop),
    );
    return element(
      "article",
      { "aria-label": this.name },
      this.title,
      this.gone,
      this.load,
      this.description,
      this.facts,
      where,
      element(
        "div",
        { class: "call" },
        form,
        element("div", { class: "result" }, this.answer.element, this.command.element),
      ),
    );
  }

  #show(entry) {
    this.#entry = entry;
    this.title.replaceChildren(element("h2", {}, this.name), ...badges(entry));
    this.load.replaceChildren(...loadLine(entry));
    this.description.textContent = entry.card.description;
    this.facts.replaceChildren(...facts(entry));
    this.rows.replaceChildren(...registrationRows(entry, this.#network.orchestrator_urls));
    this.#showNetworks(networksOf(entry));
    const text = entry.workers.find((worker) => worker.schema)?.schema ?? "";
    // A worker that restarts has no schema for a moment; what was typed outlasts that.
    if (this.#form === null || (text && text !== this.#schemaText)) this.#showForm(text);
    this.#showCommand();
  }

  #showNetworks(networks) {
    const shown = [...this.networks.querySelectorAll("input")].map((input) => input.value);
    if (shown.join() === networks.join()) return;
    const before = this.#chosenNetwork();
    const chosen = networks.includes(before) ? before : networks[0];
    this.networks.replaceChildren(
      ...networks.map((network) => {
        const radio = { type: "radio", name: `network-${this.name}`, value: network, checked: network === chosen };
        return element("label", {}, element("input", radio), networkName(network));
      }),
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

  #chosenNetwork() {
    return this.networks.querySelector("input:checked")?.value;
  }

  #address() {
    const network = this.#chosenNetwork();
    const candidates = this.#entry.registrations.filter((each) => each.network === network);
    const registration = candidates.find((each) => each.in_use < each.capacity) ?? candidates[0];
    return addressOf(registration, this.name, this.path.value, Math.max(1, Math.round(Number(this.seconds.value))));
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
    this.command.show(address, JSON.stringify(input?.value ?? {}), url);
  }
}
