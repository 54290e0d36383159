/**
 * Pays for calls of live runners with the network's own signer, which this page's origin hands `/signer/...` on to.
 *
 * The first request names the payer and is answered 402 with what is to be paid; it is sent again with a payment. A
 * call that goes on is paid for again and again (Live Runner, contract section 7).
 */

import { problemOf } from "./problems.js";

const TYPES = { hour: "live", "720p": "lv2v", fixed: "fixed" };
const AGAIN_AFTER_MS = 4000;

/** The payments for one call. */
export class Payments {
  #terms = null;
  #state = null;
  #timer = null;

  /** `node` is the orchestrator's prefix at this origin, `unit` that of the runner's price. */
  constructor(node, unit) {
    this.node = node;
    this.type = TYPES[unit] ?? "live";
  }

  /** Send a request that may have to be paid for, and pay for it. */
  async send(path, options) {
    const { address } = await ask("/sign-orchestrator-info", {}, options.signal);
    const send = (headers) =>
      fetch(`/${this.node}${path}`, {
        ...options,
        headers: { ...options.headers, "Livepeer-Payer-Address": address, ...headers },
      });
    const first = await send({});
    if (first.status !== 402) return first;
    const text = await first.text();
    try {
      this.#terms = JSON.parse(text);
    } catch {
      throw problemOf(402, text);
    }
    const payment = await this.#pay(options.signal);
    if (this.type !== "fixed") this.#keepPaying(options.signal); // The answer itself may take long to begin.
    return send(payment);
  }

  /** Pay no more. */
  end() {
    clearInterval(this.#timer);
  }

  #keepPaying(signal) {
    const { pathname } = new URL(this.#terms.payment_url);
    const payAgain = async () => {
      const headers = await this.#pay(signal);
      await fetch(`/${this.node}${pathname}`, { method: "POST", headers, signal });
    };
    // A payment that fails is missed by nobody but the orchestrator, which then ends the call and says why.
    this.#timer = setInterval(() => payAgain().catch(() => {}), AGAIN_AFTER_MS);
  }

  async #pay(signal) {
    const { payment_params: orchestrator, manifest_id: ManifestID } = this.#terms;
    const state = this.#state ? { state: this.#state } : {};
    const paid = await ask("/generate-live-payment", { orchestrator, type: this.type, ManifestID, ...state }, signal);
    this.#state = paid.state;
    return { "Livepeer-Payment": paid.payment, "Livepeer-Segment": paid.segCreds };
  }
}

async function ask(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`/signer${path}`, { method: "POST", headers, body: JSON.stringify(body), signal });
  const text = await answer.text();
  if (!answer.ok) throw problemOf(answer.status, text);
  return JSON.parse(text);
}
