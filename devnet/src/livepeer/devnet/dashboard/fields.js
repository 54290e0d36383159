/**
 * Which control a field of an input gets. The first line that fits its schema wins:
 *
 *   select    an enum, a constant, or a union of those
 *   boolean   a boolean
 *   range     a number or integer with both bounds
 *   number    any other number or integer
 *   file      a string with `contentEncoding: base64`, or with a `contentMediaType`
 *   address   a string with the format `uri`: a URL, or a file of this machine as a data URL
 *   textarea  a string that may be longer than 200 characters; without a limit, one whose name says prose
 *   text      any other string
 *   json      anything else: objects, lists, unions of several types
 *
 * A name says prose if one of its words (`negative_prompt` has two) is in PROSE. `null` in a union changes nothing but
 * that the field may be left empty.
 */

import { constantsOf, isObject, simplify } from "./schema.js";

const LONG_CHARACTERS = 200;
const PROSE = new Set([
  "prompt",
  "prompts",
  "text",
  "content",
  "message",
  "messages",
  "instruction",
  "instructions",
  "question",
  "context",
  "document",
  "story",
  "lyrics",
  "description",
  "body",
]);

/** The fields of an input's schema, or null if it is no object with named properties. */
export function fieldsOf(input) {
  const schema = simplify(input, input);
  if (!isObject(schema.properties)) return null;
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).map(([name, property]) =>
    fieldOf(name, simplify(property, input), required.includes(name)),
  );
}

/** One field, by its simplified schema. */
export function fieldOf(name, schema, required) {
  const kind = kindOf(name, schema);
  const [low, high] = boundsOf(schema);
  return {
    name,
    kind,
    required,
    schema,
    nullable: schema.nullable,
    description: typeof schema.description === "string" ? schema.description : "",
    options: constantsOf(schema) ?? [],
    low,
    high,
    step: kind === "range" || kind === "number" ? stepOf(schema, low, high) : null,
  };
}

function kindOf(name, schema) {
  if (constantsOf(schema)) return "select";
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "number" || schema.type === "integer") {
    return boundsOf(schema).every((bound) => bound !== null) ? "range" : "number";
  }
  if (schema.type !== "string") return "json";
  if (schema.contentEncoding === "base64" || schema.contentMediaType) return "file";
  if (schema.format === "uri") return "address";
  return isLong(name, schema) ? "textarea" : "text";
}

function isLong(name, schema) {
  if (typeof schema.maxLength === "number") return schema.maxLength > LONG_CHARACTERS;
  return name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .some((word) => PROSE.has(word));
}

function boundsOf(schema) {
  const whole = schema.type === "integer";
  const pick = (closed, open, inward) => {
    if (typeof closed === "number") return closed;
    return typeof open === "number" ? open + (whole ? inward : 0) : null;
  };
  return [pick(schema.minimum, schema.exclusiveMinimum, 1), pick(schema.maximum, schema.exclusiveMaximum, -1)];
}

function stepOf(schema, low, high) {
  if (typeof schema.multipleOf === "number") return schema.multipleOf;
  if (schema.type === "integer") return 1;
  if (low === null || high === null || high <= low) return "any";
  return 10 ** Math.floor(Math.log10((high - low) / 50));
}
