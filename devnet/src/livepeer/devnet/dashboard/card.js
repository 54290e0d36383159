/**
 * What a capability is and how it does: badges, its state, its facts.
 */

import { counted, element } from "./dom.js";
import { parseSchema } from "./schema.js";

const NETWORKS = { byoc: "BYOC", "live-runner": "Live Runner" };
const MEANINGS = {
  LOADING: "loading its model",
  OK: "at work",
  IDLE: "ready",
  ERROR: "cannot serve",
  UNREACHABLE: "does not answer",
  UNKNOWN: "says nothing of its health",
};
const BEST_FIRST = ["OK", "IDLE", "LOADING", "UNKNOWN", "UNREACHABLE", "ERROR"];

/** The name of a network, for people. */
export function networkName(network) {
  return NETWORKS[network] ?? network;
}

/** The networks on which an entry is registered. */
export function networksOf(entry) {
  return Object.keys(NETWORKS).filter((network) => entry.registrations.some((each) => each.network === network));
}

/** The state of the worker that serves best. */
function stateOf(entry) {
  return BEST_FIRST.find((state) => entry.workers.some((worker) => worker.state === state)) ?? "UNKNOWN";
}

/** The schema of an entry, as its worker gives it, or null. */
export function schemaOf(entry) {
  return parseSchema(entry.workers.find((worker) => worker.schema)?.schema ?? "");
}

/** What it is: `batch`, `stream` or `live`; empty while nobody says. */
export function kindOf(entry) {
  const schema = schemaOf(entry);
  if (entry.card.kind || !schema) return entry.card.kind;
  if (schema.live) return "live";
  return schema.streams === true ? "stream" : "batch";
}

/** A badge for each network. */
export function badges(entry) {
  return networksOf(entry).map((network) => element("span", { class: `badge badge-${network}` }, networkName(network)));
}

/** A dot and the state in a word. */
export function stateMark(entry) {
  return mark(stateOf(entry));
}

/** How much there is to do, and what is wrong with which worker. */
export function loadLine(entry) {
  const words = [MEANINGS[stateOf(entry)]];
  const sum = (name) => entry.workers.reduce((total, worker) => total + (worker[name] ?? 0), 0);
  const [inUse, capacity, waiting] = [sum("in_use"), sum("capacity"), sum("waiting")];
  if (capacity) words.push(`${inUse} of ${counted(capacity, "slot")} in use`);
  if (waiting) words.push(`${waiting} waiting`);
  const meter = capacity > 0 && element("meter", { min: 0, max: capacity, value: inUse, "aria-label": "Slots in use" });
  const reasons = entry.workers.filter(({ reason }) => reason);
  return [
    element("p", { class: "load" }, stateMark(entry), meter, element("span", {}, words.join(" · "))),
    ...reasons.map(({ reason }) => element("p", { class: "reason" }, reason)),
  ];
}

function mark(state) {
  return element("span", { class: "state", "data-state": state, title: MEANINGS[state] }, state);
}

/** What it says of itself, as a list of terms; what it does not say is left out. */
export function facts(entry) {
  const { card } = entry;
  const schema = schemaOf(entry);
  const known = [
    ["Kind", kindOf(entry)],
    ["Version", entry.registrations.find((each) => each.version)?.version || schema?.version],
    ["Image", card.image],
    ["Transport", card.transport],
    ["Time limit", card.deadline_seconds === null ? "" : `${card.deadline_seconds} s`],
    ["Schema", schemaWords(entry)],
  ];
  return known
    .filter(([, value]) => value)
    .map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));
}

function schemaWords(entry) {
  const found = entry.workers.find((worker) => worker.schema_sha256)?.schema_sha256;
  const declared = entry.card.schema_sha256;
  if (!found) return "the worker publishes none";
  const hash = element("code", { title: found }, `sha256 ${found.slice(0, 12)}…`);
  if (!declared) return [hash];
  const mark =
    found === declared
      ? element("span", { class: "match" }, " ✓ as its card says")
      : element("span", { class: "mismatch" }, ` ✗ its card says ${declared.slice(0, 12)}…`);
  return [hash, mark];
}

/** A row for each place where it is registered. */
export function registrationRows(entry, orchestratorUrls) {
  return entry.registrations.map((each) => {
    const cells = [
      ["Network", networkName(each.network)],
      ["Orchestrator", orchestratorUrls[each.orchestrator]],
      ["Worker", each.worker_url],
      ["State", mark(entry.workers.find(({ url }) => url === each.worker_url)?.state ?? "UNKNOWN")],
      ["In use", `${each.in_use} of ${each.capacity}`],
      ["Price", each.price],
      ["App", [each.app, each.mode, each.ready ? "" : "not ready"].filter(Boolean).join(", ") || "–"],
    ];
    return element(
      "tr",
      {},
      cells.map(([term, value]) => element("td", { "data-term": term }, value)),
    );
  });
}
