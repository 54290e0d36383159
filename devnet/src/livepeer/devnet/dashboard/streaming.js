/**
 * How a live capability is used: a form of its params, the command that streams a file, and the streams that run.
 */

import { networkName, schemaOf } from "./card.js";
import { Command } from "./command.js";
import { liveOf } from "./commands.js";
import { element } from "./dom.js";
import { Form } from "./form.js";
import { NetworkChoice } from "./networks.js";
import { simplify } from "./schema.js";

const COLUMNS = ["Stream", "Network", "Frames a second", "Delay", "Dropped"];
const NO_PARAMS = { type: "object", properties: {} };

/** The panel of a live capability. The page itself streams nothing: browsers make no MPEG-TS. */
export class StreamPanel {
  #entry = null;
  #network = null;
  #schema = NO_PARAMS;
  #form = null;
  #commandTurn = 0;

  constructor(name) {
    this.name = name;
    this.networks = new NetworkChoice(name, "Stream it over");
    this.fields = element("div");
    this.command = new Command("Stream a file with livepeer");
    this.rows = element("tbody");
    this.none = element("p", { class: "quiet" }, "None.");
    this.element = this.#layOut();
  }

  /** Show what is registered now; null if it is gone. */
  update(entry, network) {
    this.#network = network;
    this.#entry = entry;
    this.#showStreams(entry?.streams ?? []);
    if (!entry) return;
    this.networks.update(entry);
    const schema = schemaOf(entry)?.live?.params_schema;
    if (this.#form === null || (schema && JSON.stringify(schema) !== JSON.stringify(this.#schema))) {
      this.#showForm(schema ?? NO_PARAMS);
    }
    this.#showCommand();
  }

  #layOut() {
    const headings = COLUMNS.map((term) => element("th", { scope: "col" }, term));
    this.table = element("table", {}, element("thead", {}, element("tr", {}, headings)), this.rows);
    const form = element(
      "form",
      { submit: (event) => event.preventDefault(), input: () => this.#showCommand() },
      element("h3", {}, "Params"),
      this.networks.element,
      this.fields,
    );
    const running = element("section", { "aria-label": "Running streams" }, element("h3", {}, "Running streams"));
    running.append(this.none, element("div", { class: "scroll" }, this.table));
    return element("div", { class: "call" }, form, element("div", { class: "result" }, this.command.element, running));
  }

  #showForm(schema) {
    const older = this.#form;
    this.#schema = schema;
    this.#form = new Form(schema, () => this.#showCommand());
    if (older) this.#form.adopt(older).then(() => this.#showCommand());
    this.fields.replaceChildren(this.#form.element);
  }

  #showStreams(streams) {
    this.none.hidden = streams.length > 0;
    this.table.hidden = streams.length === 0;
    this.rows.replaceChildren(
      ...streams.map((stream) => {
        const cells = [
          stream.stream_id,
          networkName(stream.network),
          stream.fps_out === null ? "–" : `${stream.fps_out} of ${stream.fps_in ?? "–"}`,
          stream.latency_ms === null ? "–" : `${Math.round(stream.latency_ms)} ms`,
          stream.frames_dropped ?? "–",
        ];
        return element(
          "tr",
          {},
          cells.map((cell, index) => element("td", { "data-term": COLUMNS[index] }, String(cell))),
        );
      }),
    );
  }

  async #showCommand() {
    const turn = (this.#commandTurn += 1);
    const params = (await this.#form.read({ quietly: true }))?.value ?? {};
    if (!this.#entry || turn !== this.#commandTurn) return;
    const { gateway_url: gateway, orchestrator_urls: orchestrators } = this.#network;
    const { network, orchestrator } = this.networks.registration(this.#entry);
    const url = network === "byoc" ? gateway : orchestrators[orchestrator];
    this.command.show(liveOf(this.name, this.#changed(params), network, url));
  }

  /** The params that differ from what the model takes by itself. */
  #changed(params) {
    const presets = this.#schema.properties ?? {};
    const isPreset = ([name, value]) =>
      JSON.stringify(value) === JSON.stringify(simplify(presets[name], this.#schema).default);
    return Object.fromEntries(Object.entries(params).filter((param) => !isPreset(param)));
  }
}
