/**
 * The control of one field. Each has `element`, `focusable`, `read()` (the text or value that it holds; null if empty),
 * `write(value)` and `show(reason)`.
 */

import { element } from "./dom.js";
import { toBase64, toDataUrl } from "./media.js";
import { isObject } from "./schema.js";

let made = 0;

/** Raised when a control holds something that is no value of its field. */
export class UnreadableError extends Error {}

/** Make the control of a field; `changed` is called whenever it holds something else. */
export function makeControl(field, changed) {
  const id = `field-${(made += 1)}`;
  const error = element("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const attributes = {
    id,
    name: field.name,
    required: field.required && field.kind !== "boolean",
    "aria-describedby": `${id}-help ${id}-error`,
  };
  const input = (INPUTS[field.kind] ?? INPUTS.json)(field, attributes);
  const label = element(
    "label",
    { for: id },
    element("code", {}, field.name || "input"),
    " ",
    element("span", {}, hintOf(field)),
  );
  const help = element("p", { class: "help", id: `${id}-help` }, field.description);
  const node = element("div", { class: `field field-${field.kind}`, "data-field": field.name });
  node.append(
    ...(field.kind === "boolean" && !field.nullable ? [input.element, label] : [label, input.element]),
    help,
    error,
  );

  const show = (reason) => {
    error.textContent = reason;
    error.hidden = !reason;
    input.focusable.setAttribute("aria-invalid", String(Boolean(reason)));
  };
  node.addEventListener("input", () => {
    show("");
    changed();
  });
  if (field.schema.default !== undefined && field.schema.default !== null) input.write(field.schema.default);
  return { field, element: node, focusable: input.focusable, read: input.read, write: input.write, show };
}

function hintOf(field) {
  const { schema } = field;
  const type = typeof schema.type === "string" ? schema.type : field.kind === "select" ? "choice" : "JSON";
  const words = [field.kind === "file" ? (schema.contentMediaType ?? "file") : type];
  if (field.low !== null && field.high !== null) words.push(`${field.low} to ${field.high}`);
  else if (field.low !== null) words.push(`at least ${field.low}`);
  else if (field.high !== null) words.push(`at most ${field.high}`);
  words.push(field.required ? "required" : "optional");
  return words.join(", ");
}

const INPUTS = {
  text: (field, attributes) => lineOfText(field, element("input", { ...attributes, ...limits(field), type: "text" })),
  textarea: (field, attributes) => lineOfText(field, element("textarea", { ...attributes, ...limits(field), rows: 4 })),
  number: (field, attributes) => numeric(numberBox(field, attributes)),
  range: ranged,
  boolean: (field, attributes) =>
    field.nullable ? choice({ ...field, options: [true, false] }, attributes) : checkbox(attributes),
  select: choice,
  file: upload,
  address,
  json: (field, attributes) =>
    json(field, element("textarea", { ...attributes, rows: 4, class: "code", spellcheck: "false" })),
};

function limits({ schema }) {
  const example = Array.isArray(schema.examples) ? schema.examples[0] : undefined;
  return {
    minlength: schema.minLength,
    maxlength: schema.maxLength,
    placeholder: typeof example === "string" ? example : null,
  };
}

function lineOfText(_, box) {
  return {
    element: box,
    focusable: box,
    read: () => (box.value === "" ? null : box.value),
    write: (value) => {
      box.value = typeof value === "string" ? value : "";
    },
  };
}

function numberBox(field, attributes) {
  const { low: min, high: max } = field;
  const step = field.schema.type === "integer" ? field.step : "any";
  return element("input", { ...attributes, type: "number", min, max, step, inputmode: "decimal" });
}

function numeric(box) {
  return {
    element: box,
    focusable: box,
    read: () => (box.value === "" ? null : Number(box.value)),
    write: (value) => {
      box.value = typeof value === "number" ? String(value) : "";
    },
  };
}

/** A slider, and beside it the number itself, which may be typed and may be empty. */
function ranged(field, attributes) {
  const box = numberBox(field, attributes);
  const { low: min, high: max, step } = field;
  const slider = element("input", { type: "range", min, max, step, "aria-label": `${field.name}, slider` });
  const number = numeric(box);
  slider.addEventListener("input", () => {
    box.value = slider.value;
  });
  const follow = () => {
    slider.value = box.value === "" ? min : box.value;
  };
  box.addEventListener("input", follow);
  follow();
  return {
    ...number,
    element: element("div", { class: "range" }, slider, box),
    write: (value) => {
      number.write(value);
      follow();
    },
  };
}

function checkbox({ required: _, ...attributes }) {
  const box = element("input", { ...attributes, type: "checkbox" });
  return {
    element: box,
    focusable: box,
    read: () => box.checked,
    write: (value) => {
      box.checked = value === true;
    },
  };
}

function choice(field, attributes) {
  const options = field.options.map((value, index) =>
    element("option", { value: index }, typeof value === "string" ? value : JSON.stringify(value)),
  );
  const isOpen = field.nullable || !field.required || field.options.length > 1;
  const box = element("select", attributes, isOpen ? element("option", { value: "" }, "–") : null, options);
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  return {
    element: box,
    focusable: box,
    read: () => (box.value === "" ? null : field.options[Number(box.value)]),
    write: (value) => {
      const index = field.options.findIndex((option) => same(option, value));
      box.value = index < 0 ? "" : String(index);
    },
  };
}

/** A file of this machine; it is read here and goes into the input as base64. */
function upload(field, attributes) {
  const box = element("input", { ...attributes, type: "file", accept: field.schema.contentMediaType });
  return {
    element: box,
    focusable: box,
    read: async () => (box.files.length ? toBase64(box.files[0]) : null),
    write: () => {},
  };
}

/** A URL that is typed, or a file of this machine that goes into the input as a data URL. */
function address(field, { required, ...attributes }) {
  const box = element("input", { ...attributes, type: "text", placeholder: "A URL, or a file:" });
  const picker = element("input", { type: "file", "aria-label": `${field.name}, file` });
  picker.addEventListener("input", () => {
    if (picker.files.length) box.value = "";
  });
  box.addEventListener("input", () => {
    picker.value = "";
  });
  const typed = lineOfText(field, box);
  return {
    ...typed,
    element: element("div", { class: "address" }, box, picker),
    read: async () => (picker.files.length ? toDataUrl(picker.files[0]) : typed.read()),
    write: (value) => {
      typed.write(value);
      picker.value = "";
    },
  };
}

function json(field, box) {
  const example = Array.isArray(field.schema.examples) ? field.schema.examples[0] : sketch(field.schema);
  box.placeholder = JSON.stringify(example, null, 2) ?? "";
  return {
    element: box,
    focusable: box,
    read: () => {
      if (box.value.trim() === "") return null;
      try {
        return JSON.parse(box.value);
      } catch (error) {
        throw new UnreadableError(`This is not JSON: ${error.message}`);
      }
    },
    write: (value) => {
      box.value = JSON.stringify(value, null, 2);
    },
  };
}

/** What a value of a schema looks like, in a few strokes. */
function sketch(schema) {
  if (schema.type === "array") return [];
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, stroke(property)]));
}

function stroke(property) {
  if (!isObject(property)) return null;
  if (property.default !== undefined) return property.default;
  const strokes = { string: "", number: 0, integer: 0, boolean: false, array: [], object: {} };
  return strokes[property.type] ?? null;
}
