/**
 * How an answer is shown: text, image, audio, video, or JSON for anything else.
 *
 * Media is looked for where the field keeps it: `images[0].url`, `image.url`, `video.url`, `audio.url`,
 * `data[0].b64_json`, and wherever a data URL stands or the output's schema says base64. An http(s) URL becomes a link:
 * the page itself asks nobody but its own origin.
 */

import { element } from "./dom.js";
import { fromBase64, mediaKind, sniff, toText } from "./media.js";
import { isObject, simplify } from "./schema.js";

const MOST_ITEMS = 500;
const LONG_STRING = 300;
const DATA_URL = /^data:([^;,]*)[^,]*,/;

/** Where an answer is shown, whole or as it grows. */
export class Output {
  #urls = [];
  #text = null;

  /** `schema` is the worker's, or null; its answer's media type counts unless the worker's own arrived. */
  constructor(schema) {
    this.mediaType = schema?.output_media_type ?? null;
    this.output = simplify(schema?.output, schema?.output);
    this.element = element("div", { class: "output" });
  }

  /** Show the body of an answer that is no stream. */
  addBody(bytes) {
    const text = toText(bytes);
    if (mediaKind(this.mediaType) || text === null) {
      this.#append(this.#media(bytes, mediaKind(this.mediaType) ? this.mediaType : sniff(bytes)));
      return;
    }
    this.#addValue(parsed(text));
  }

  /** Show the next item of a stream; text joins the text before it. */
  addEvent({ data }) {
    this.#addValue(parsed(data.replaceAll("\n", ""), data));
  }

  /** Let go of what the shown media holds. */
  clear() {
    this.#urls.forEach((url) => URL.revokeObjectURL(url));
    this.#urls = [];
    this.#text = null;
    this.element.replaceChildren();
  }

  #addValue(value) {
    if (typeof value === "string" && !this.#isMedia(value, this.output)) this.#addText(value);
    else this.#append(...this.#found(value), typeof value === "string" ? null : pretty(value));
  }

  #addText(text) {
    if (this.#text === null) {
      this.#text = document.createTextNode("");
      this.element.append(element("div", { class: "output-text" }, this.#text));
    }
    this.#text.appendData(text);
  }

  #append(...nodes) {
    this.#text = null;
    this.element.append(...nodes.filter(Boolean));
    while (this.element.childElementCount > MOST_ITEMS) this.element.firstElementChild.remove();
  }

  #found(value) {
    return mediaIn(value, this.output)
      .map(({ source, schema, kind }) => this.#shown(source, schema, kind))
      .filter(Boolean);
  }

  #isMedia(text, schema) {
    return DATA_URL.test(text) || saysBase64(schema);
  }

  #shown(source, schema, kind) {
    if (/^https?:/i.test(source)) {
      return element("p", {}, element("a", { href: source, target: "_blank", rel: "noreferrer noopener" }, source));
    }
    const [head, declared] = DATA_URL.exec(source) ?? [];
    if (head && !/;base64,$/.test(head)) return null;
    const bytes = fromBase64(head ? source.slice(head.length) : source);
    const said = declared ?? schema?.contentMediaType;
    return bytes && this.#media(bytes, mediaKind(said) ? said : (sniff(bytes) ?? (kind && `${kind}/*`)));
  }

  #media(bytes, mediaType) {
    const url = URL.createObjectURL(new Blob([bytes], { type: mediaType ?? "application/octet-stream" }));
    this.#urls.push(url);
    const size = `${bytes.length.toLocaleString("en")} bytes`;
    const name = `answer.${(mediaType ?? "").split("/")[1]?.replace(/\W.*/, "") || "bin"}`;
    const caption = element(
      "figcaption",
      {},
      `${mediaType ?? "Binary"}, ${size} `,
      element("a", { href: url, download: name }, "Save"),
    );
    return element("figure", {}, player(mediaKind(mediaType), url), caption);
  }
}

function player(kind, url) {
  if (kind === "image") return element("img", { src: url, alt: "The image that the model answered with" });
  return kind ? element(kind, { src: url, controls: true }) : null;
}

/** Where in a value media stands: `{source, schema, kind}` for each. */
function mediaIn(value, schema) {
  if (typeof value === "string") return [{ source: value, schema }];
  if (!isObject(value)) return [];
  const listed = (name) => (Array.isArray(value[name]) ? value[name] : []);
  const kept = [
    ...[...listed("images"), value.image].map((item) => ({ source: item?.url ?? item, kind: "image" })),
    ...listed("data").map((item) => ({ source: item?.b64_json ?? item?.url, kind: "image" })),
    { source: value.video?.url ?? value.video, kind: "video" },
    { source: value.audio?.url ?? value.audio, kind: "audio" },
  ];
  const others = Object.entries(value)
    .filter(([name]) => !["image", "video", "audio"].includes(name))
    .map(([name, source]) => ({ source, schema: simplify(schema.properties?.[name], schema) }))
    .filter(({ source, schema: said }) => DATA_URL.test(source) || saysBase64(said));
  return [...kept, ...others].filter(({ source }) => typeof source === "string" && source !== "");
}

function saysBase64(schema) {
  return schema?.type === "string" && (schema.contentEncoding === "base64" || Boolean(schema.contentMediaType));
}

function pretty(value) {
  const shortened = (_, part) =>
    typeof part === "string" && part.length > LONG_STRING
      ? `${part.slice(0, 60)}… (${part.length.toLocaleString("en")} characters)`
      : part;
  return element("pre", { class: "output-json", tabindex: "0" }, JSON.stringify(value, shortened, 2));
}

function parsed(text, otherwise = text) {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
