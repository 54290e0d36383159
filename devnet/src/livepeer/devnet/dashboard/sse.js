/**
 * Server-sent events, out of bytes that may be cut anywhere.
 *
 * A stream of the network ends at the line `data: [DONE]`, with no blank line after it, and blank lines may follow for
 * minutes (BYOC contract, section 4): so nothing after that line is looked at, and blank lines are never kept.
 */

const BALANCE = /^\{"balance": ?[^"{}[\],]*\}$/;

/** Yield `{event, data}` for each event of the model's own. Returns whether the stream was ended, not cut off. */
export async function* eventsOf(chunks) {
  let event = "message";
  let data = [];
  let held = null;
  for await (const line of linesOf(chunks)) {
    const [name, value] = fieldOf(line);
    const ends = name === "data" && value.trim() === "[DONE]";
    if ((line === "" || ends) && data.length) {
      if (held) yield held;
      const found = { event, data: data.join("\n") };
      // The orchestrator puts the balance before its end; it is the model's own only if something follows it.
      held = event === "message" && BALANCE.test(found.data) ? found : null;
      if (!held) yield found;
      data = [];
    }
    if (ends) return true;
    if (line === "") event = "message";
    else if (name === "data") data.push(value);
    else if (name === "event") event = value;
  }
  if (held) yield held;
  return false;
}

function fieldOf(line) {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}

async function* linesOf(chunks) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  if (rest) yield rest;
}
