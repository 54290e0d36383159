/**
 * A command for a shell, ready to be copied.
 */

import { element } from "./dom.js";

/** Shows the command; an input that is too long for one can be saved as the file that the command reads. */
export class Command {
  #body = null;

  constructor(title) {
    this.text = element("pre", { tabindex: "0" });
    this.copy = element("button", { type: "button", click: () => this.#copy() }, "Copy");
    this.save = element("button", { type: "button", hidden: true, click: () => this.#save() }, "Save input.json");
    const buttons = element("div", { class: "buttons" }, this.copy, this.save);
    this.element = element(
      "details",
      { class: "command", open: true },
      element("summary", {}, title),
      element("div", { class: "command-box" }, this.text, buttons),
    );
  }

  /** Show a command, and what it reads from `input.json`; null for nothing. */
  show(command, body = null) {
    this.#body = body;
    this.save.hidden = body === null;
    if (this.text.textContent !== command) this.text.textContent = command; // What is selected in it stays so.
  }

  async #copy() {
    getSelection().selectAllChildren(this.text);
    if (!navigator.clipboard) return; // A browser has one on loopback and over https only.
    await navigator.clipboard.writeText(this.text.textContent);
    this.copy.textContent = "Copied";
    setTimeout(() => (this.copy.textContent = "Copy"), 1500);
  }

  #save() {
    const url = URL.createObjectURL(new Blob([this.#body], { type: "application/json" }));
    element("a", { href: url, download: "input.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
