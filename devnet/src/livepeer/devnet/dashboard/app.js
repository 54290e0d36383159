/**
 * The page: follows what runs on the network, lists it, and shows the one that is chosen.
 */

import { badges, stateMark } from "./card.js";
import { CapabilityView } from "./capability.js";
import { element } from "./dom.js";

const AGAIN_AFTER_MS = 1000;

const views = new Map();
const items = new Map();
let network = null;

const byId = (id) => document.getElementById(id);

function chosenName() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ""; // Somebody typed a lone percent sign.
  }
}

function follow() {
  const events = new EventSource("api/events");
  events.onmessage = ({ data }) => {
    network = JSON.parse(data);
    setLost(false);
    render();
  };
  events.onerror = () => {
    setLost(true);
    events.close();
    setTimeout(follow, AGAIN_AFTER_MS);
  };
}

function setLost(lost) {
  byId("lost").hidden = !lost;
  document.body.classList.toggle("is-lost", lost);
  byId("connection").textContent = lost ? "Not connected" : "Connected";
  byId("connection").dataset.connected = String(!lost);
}

function render() {
  const entries = network.capabilities;
  byId("empty").hidden = entries.length > 0;
  byId("orchestrators").replaceChildren(
    ...network.orchestrator_urls.map((url) => element("li", {}, element("code", {}, url))),
  );
  renderList(entries);
  renderChosen(entries);
}

/** Items stay the same elements while their capability is there, so that focus stays where it is. */
function renderList(entries) {
  const names = entries.map((entry) => entry.card.name);
  for (const [name, item] of items) {
    if (names.includes(name)) continue;
    item.remove();
    items.delete(name);
  }
  entries.forEach((entry, index) => {
    const { name } = entry.card;
    if (!items.has(name)) items.set(name, element("li", {}, element("a", { href: `#${encodeURIComponent(name)}` })));
    const item = items.get(name);
    const link = item.firstElementChild;
    link.replaceChildren(
      element("span", { class: "item-name" }, name, stateMark(entry)),
      element("span", { class: "item-networks" }, badges(entry)),
    );
    if (name === chosenName()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    const list = byId("list");
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
}

function renderChosen(entries) {
  const name = chosenName();
  const entry = entries.find(({ card }) => card.name === name);
  if (entry && !views.has(name)) views.set(name, new CapabilityView(name));
  for (const [each, view] of views) view.update(entries.find(({ card }) => card.name === each) ?? null, network);
  const view = views.get(name);
  if (!name && entries.length && matchMedia("(min-width: 60rem)").matches) {
    location.replace(`#${encodeURIComponent(entries[0].card.name)}`);
    return;
  }
  byId("nothing").hidden = Boolean(view) || !entries.length;
  for (const each of views.values()) if (each !== view) each.element.remove();
  if (view && !view.element.isConnected) byId("main").append(view.element);
}

addEventListener("hashchange", () => {
  if (!network) return;
  render();
  byId("main").focus({ preventScroll: matchMedia("(min-width: 60rem)").matches });
});
follow();
