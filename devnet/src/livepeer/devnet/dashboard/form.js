/**
 * The form of an input's schema.
 */

import { UnreadableError, makeControl } from "./controls.js";
import { element } from "./dom.js";
import { fieldOf, fieldsOf } from "./fields.js";
import { simplify } from "./schema.js";

/** A form; without a schema, or for an input that is no object, it is a single box for JSON. */
export class Form {
  constructor(input, changed) {
    const fields = input === null ? null : fieldsOf(input);
    this.isWhole = fields === null;
    const shown = fields ?? [fieldOf("", { ...simplify(input ?? {}, input ?? {}), type: undefined }, true)];
    this.controls = shown.map((field) => makeControl(field, changed));
    const none = shown.length ? null : element("p", { class: "quiet" }, "It takes no input.");
    this.element = element(
      "div",
      { class: "fields" },
      none,
      this.controls.map((control) => control.element),
    );
  }

  /** The input to send; null, with the reason shown at its field unless `quietly`, if a control cannot be read. */
  async read({ quietly = false } = {}) {
    const input = {};
    if (!quietly) this.controls.forEach((control) => control.show(""));
    for (const control of this.controls) {
      try {
        const value = valueOf(control.field, await control.read());
        if (this.isWhole) return { value: value ?? {} };
        if (value !== undefined) input[control.field.name] = value;
      } catch (error) {
        if (!(error instanceof UnreadableError)) throw error;
        if (!quietly) {
          control.show(error.message);
          control.focusable.focus();
        }
        return null;
      }
    }
    return { value: input };
  }

  /** Show what is wrong with which field, and return what belongs to none. */
  show(errors) {
    const placed = errors.map((error) => ({ error, control: this.#controlOf(error.field) }));
    for (const { control } of placed) control?.show("");
    for (const { error, control } of placed) {
      const inside = error.field.slice(control?.field.name.length).replace(/^\./, "");
      const shown = control?.element.querySelector(".field-error").textContent;
      control?.show([shown, inside ? `${inside}: ${error.reason}` : error.reason].filter(Boolean).join("; "));
    }
    placed.find(({ control }) => control)?.control.focusable.focus();
    return placed.filter(({ control }) => !control).map(({ error }) => error);
  }

  /** Take over what an older form holds for fields of the same name and kind. */
  async adopt(older) {
    for (const control of this.controls) {
      const { name, kind } = control.field;
      const value = await heldBy(older.controls.find(({ field }) => field.name === name && field.kind === kind));
      if (value !== null) control.write(value);
    }
  }

  #controlOf(path) {
    const holds = ({ field: { name } }) => name === "" || path === name || path.startsWith(`${name}.`);
    return this.controls.filter(holds).at(-1);
  }
}

async function heldBy(control) {
  try {
    return (await control?.read()) ?? null;
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return null;
  }
}

/** What goes into the input for what a control holds; undefined leaves the field out. */
function valueOf(field, held) {
  if (held !== null) return held;
  const { default: preset } = field.schema;
  if (field.nullable && (field.required || (preset !== undefined && preset !== null))) return null;
  const isText = field.kind === "text" || field.kind === "textarea";
  return isText && (field.required || preset) ? "" : undefined;
}
