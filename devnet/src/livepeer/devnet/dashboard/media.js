/**
 * What bytes are. A gateway loses the worker's Content-Type (BYOC contract, section 3), so the bytes must tell.
 */

const MAGIC = [
  ["89504e470d0a1a0a", 0, "image/png"],
  ["ffd8ff", 0, "image/jpeg"],
  ["474946383761", 0, "image/gif"],
  ["474946383961", 0, "image/gif"],
  ["57454250", 8, "image/webp"],
  ["6674797061766966", 4, "image/avif"],
  ["66747970", 4, "video/mp4"],
  ["1a45dfa3", 0, "video/webm"],
  ["57415645", 8, "audio/wav"],
  ["494433", 0, "audio/mpeg"],
  ["fffb", 0, "audio/mpeg"],
  ["fff3", 0, "audio/mpeg"],
  ["4f676753", 0, "audio/ogg"],
  ["664c6143", 0, "audio/flac"],
  ["25504446", 0, "application/pdf"],
];
const HEAD_BYTES = 16;

/** The media type that the first bytes tell; null if they tell none. */
export function sniff(bytes) {
  const hex = [...bytes.subarray(0, HEAD_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return MAGIC.find(([magic, at]) => hex.startsWith(magic, at * 2))?.[2] ?? null;
}

/** `image`, `audio` or `video`, where a media type is one of those; else null. */
export function mediaKind(mediaType) {
  const kind = (mediaType ?? "").split("/")[0].trim().toLowerCase();
  return ["image", "audio", "video"].includes(kind) ? kind : null;
}

/** Bytes out of base64 in either alphabet; null if it is none. */
export function fromBase64(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/").replace(/\s+/g, ""));
    return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Base64 of bytes or of a file. */
export async function toBase64(blob) {
  const url = await toDataUrl(blob);
  return url.slice(url.indexOf(",") + 1);
}

/** A data URL of bytes or of a file. */
export function toDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** Text of UTF-8; null if the bytes are something else. */
export function toText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
