/**
 * What to type into a shell: a call with curl, and a stream with livepeer.
 */

const LONG_BODY = 4000;

/** The command, and whether it reads the body from `input.json` since that is too long for a command line. */
export function curlOf(address, body, nodeUrl) {
  const isLong = body.length > LONG_BODY;
  const note = address.unit === null ? "" : "# It is to be paid for, which curl cannot: see payment in the answer.\n";
  const data = isLong ? "--data-binary @input.json" : `--data-raw ${quoted(body)}`;
  const options = [`-H 'Content-Type: application/json'`, ...jobOptions(address.job), data];
  const request = (path) => [`curl -sS -N ${path}`, ...options].join(" \\\n  ");
  if (!address.session) return { command: note + request(quoted(nodeUrl + address.path)), isLong };
  const session = nodeUrl + address.session;
  const command = [
    `session=${quoted(session)}/$(curl -sS -X POST ${quoted(session)} | sed 's/.*"session_id":"\\([^"]*\\)".*/\\1/')`,
    request(`"$session"/app${quoted(address.path)}`),
    `curl -sS -X POST "$session"/stop`,
  ].join("\n");
  return { command: note + command, isLong };
}

/** The command that streams a file through a capability, with params of its own; `url` is of the node that takes it. */
export function liveOf(name, params, network, url) {
  const options = Object.entries(params).map(([param, value]) => `-p ${word(`${param}=${JSON.stringify(value)}`)}`);
  const node = `${network === "byoc" ? "--gateway" : "--orch"} ${word(url)}`;
  return [`livepeer live ${word(name)}`, "--input clip.mp4 --output out.ts", ...options, node].join(" \\\n  ");
}

function jobOptions(job) {
  return job === null ? [] : [`-H "Livepeer: $(printf %s ${quoted(JSON.stringify(job))} | base64 | tr -d '\\n')"`];
}

/** Quoted only if a shell would not take it as it is. */
function word(text) {
  return /^[\w.,:/@%+=-]+$/.test(text) ? text : quoted(text);
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
