/**
 * One capability: what it is, where it is, and how it is used.
 */

import { CallPanel } from "./calling.js";
import { badges, facts, kindOf, loadLine, registrationRows } from "./card.js";
import { element } from "./dom.js";
import { StreamPanel } from "./streaming.js";

const GONE = "It is not registered any more. It comes back here by itself when its worker registers again.";
const COLUMNS = ["Network", "Orchestrator", "Worker", "State", "In use", "Price", "App"];

/** The view of one capability; it stays while the page is open, so that what was typed and answered stays too. */
export class CapabilityView {
  #panel = null;

  constructor(name) {
    this.name = name;
    this.title = element("div", { class: "title" });
    this.load = element("div", { class: "health" });
    this.gone = element("p", { class: "gone", role: "status", hidden: true }, GONE);
    this.description = element("p", { class: "description" });
    this.facts = element("dl", { class: "facts" });
    this.rows = element("tbody");
    this.element = this.#layOut();
  }

  /** Show what is registered now; null if it is gone. */
  update(entry, network) {
    this.gone.hidden = Boolean(entry);
    this.load.hidden = !entry;
    if (entry) this.#show(entry, network);
    this.#panel?.update(entry, network);
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
    const parts = [this.title, this.gone, this.load, this.description, this.facts, where];
    return element("article", { "aria-label": this.name }, ...parts);
  }

  #show(entry, network) {
    this.title.replaceChildren(element("h2", {}, this.name), ...badges(entry));
    this.load.replaceChildren(...loadLine(entry));
    this.description.textContent = entry.card.description;
    this.facts.replaceChildren(...facts(entry));
    this.rows.replaceChildren(...registrationRows(entry, network.orchestrator_urls));
    this.#choosePanel(kindOf(entry));
  }

  #choosePanel(kind) {
    const Panel = kind === "live" ? StreamPanel : CallPanel;
    // A worker that restarts says nothing of itself for a moment.
    if (this.#panel && (!kind || this.#panel instanceof Panel)) return;
    this.#panel?.element.remove();
    this.#panel = new Panel(this.name);
    this.element.append(this.#panel.element);
  }
}
