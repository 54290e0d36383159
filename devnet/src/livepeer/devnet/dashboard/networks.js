/**
 * Over which network a capability is asked.
 */

import { networkName, networksOf } from "./card.js";
import { element } from "./dom.js";

/** A choice among the networks on which a capability is registered. */
export class NetworkChoice {
  constructor(name, legend) {
    this.name = name;
    this.choices = element("div", { class: "choices" });
    this.element = element("fieldset", { class: "networks" }, element("legend", {}, legend), this.choices);
  }

  /** The network that is chosen. */
  get chosen() {
    return this.choices.querySelector("input:checked")?.value;
  }

  /** Offer the networks of an entry; the choice stays as long as it can. */
  update(entry) {
    const networks = networksOf(entry);
    const shown = [...this.choices.querySelectorAll("input")].map((input) => input.value);
    if (shown.join() === networks.join()) return;
    const chosen = networks.includes(this.chosen) ? this.chosen : networks[0];
    this.choices.replaceChildren(
      ...networks.map((network) => {
        const radio = { type: "radio", name: `network-${this.name}`, value: network, checked: network === chosen };
        return element("label", {}, element("input", radio), networkName(network));
      }),
    );
  }

  /** Where the entry is registered on the chosen network: a place with room, if there is one. */
  registration(entry) {
    const candidates = entry.registrations.filter((each) => each.network === this.chosen);
    return candidates.find((each) => each.in_use < each.capacity) ?? candidates[0];
  }
}
