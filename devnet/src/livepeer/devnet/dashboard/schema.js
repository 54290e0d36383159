/**
 * JSON Schema, made simple enough to build a control from: references followed, `null` taken out of unions.
 */

const MOST_STEPS = 32; // A reference may lead in a circle.

/** Read the text of a worker's `/schema`; null if it is no JSON object. */
export function parseSchema(text) {
  try {
    const found = JSON.parse(text);
    return isObject(found) ? found : null;
  } catch {
    return null;
  }
}

/**
 * Simplify one schema.
 *
 * Returns it with its references and one-armed unions merged into it. `nullable` is true if `null` fits too, and a
 * union of constants has become an `enum`.
 */
export function simplify(schema, root) {
  let found = isObject(schema) ? schema : {};
  let nullable = false;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const arms = found.anyOf ?? found.oneOf;
    if (typeof found.$ref === "string") {
      found = { ...pointedAt(found.$ref, root), ...without(found, "$ref") };
    } else if (Array.isArray(found.allOf) && found.allOf.length === 1) {
      found = { ...found.allOf[0], ...without(found, "allOf") };
    } else if (Array.isArray(arms)) {
      const others = arms.filter((arm) => !isNull(arm));
      nullable ||= others.length < arms.length;
      const rest = without(found, "anyOf", "oneOf");
      const joined = others.length === 1 ? others[0] : joinedConstants(others, root);
      if (!joined) return { ...rest, anyOf: others, nullable };
      found = { ...joined, ...rest };
    } else if (Array.isArray(found.type)) {
      nullable ||= found.type.includes("null");
      const types = found.type.filter((type) => type !== "null");
      if (types.length !== 1) return { ...without(found, "type"), nullable };
      found = { ...found, type: types[0] };
    } else break;
  }
  return { ...found, nullable };
}

/** Whether a value is a JSON object. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function joinedConstants(arms, root) {
  const lists = arms.map((arm) => constantsOf(simplify(arm, root)));
  return lists.length && lists.every(Boolean) ? { enum: lists.flat() } : null;
}

/** The values that a schema allows, if it names them; else null. */
export function constantsOf(schema) {
  if (Array.isArray(schema.enum)) return schema.enum;
  return "const" in schema ? [schema.const] : null;
}

function isNull(schema) {
  return isObject(schema) && (schema.type === "null" || ("const" in schema && schema.const === null));
}

function pointedAt(reference, root) {
  const names = reference.replace(/^#\/?/, "").split("/").filter(Boolean);
  const found = names
    .map((name) => decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((node, name) => (isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined), root);
  return isObject(found) ? found : {};
}

function without(schema, ...names) {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}
