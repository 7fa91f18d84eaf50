// A subscriber for browsers and Node: the newest results of an engine, and whether they may be acted on.
//
//     import { Subscriber } from "./edge_engine.js";
//     const subscriber = new Subscriber("ws://127.0.0.1:8765");
//     setInterval(() => {
//       const result = subscriber.latest({ maxAgeMs: 200 });
//       console.log(result?.objects ?? `stop: ${subscriber.status().reason}`);
//     }, 20);
//
// The engine needs `outputs: {websocket: {}}`. Node also reaches its ZeroMQ output: zeromq.js.

import { ClockSync, Rate, Sequence, Sessions } from "./freshness.js";
import { HEARTBEAT_NS } from "./messages.js";
import { decode, decodeClockReply, encodeClockRequest, WireError } from "./wire.js";

export { crc32, decode, WireError } from "./wire.js";

const DEAD_AFTER_NS = (HEARTBEAT_NS * 5n) / 2n;
const FIRST_QUESTIONS = 8;
const FIRST_EVERY_MS = 20;
const EVERY_MS = 500;
const SILENT_MS = 3_000;
const RECONNECT_MS = 500;
const NS_PER_MS = 1e6;

/** Messages over a WebSocket, which is opened again whenever it ends, or nothing has come for a while. */
export class WebSocketTransport {
  #url;
  #socket = null;
  #timer = null;
  #heardMs = 0;

  constructor(url) {
    this.#url = url;
  }

  /** `receive` is called with each message, a Uint8Array. */
  open(receive) {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#heardMs = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#heardMs = performance.now();
      if (data instanceof ArrayBuffer && socket === this.#socket) receive(new Uint8Array(data));
    };
    socket.onclose = () => this.#openAgain(socket, receive);
    socket.onerror = () => {}; // onclose follows
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#openIfSilent(socket, receive), RECONNECT_MS);
  }

  #openIfSilent(socket, receive) {
    if (performance.now() - this.#heardMs < SILENT_MS) return;
    socket.close(); // waits for an answer that may never come
    this.#openAgain(socket, receive);
  }

  #openAgain(socket, receive) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#timer);
    this.#timer = setTimeout(() => this.open(receive), RECONNECT_MS);
  }

  /** To the publisher, as long as there is one. */
  send(bytes) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  close() {
    const socket = this.#socket;
    this.#socket = null;
    clearInterval(this.#timer); // also a timeout's
    socket?.close();
  }
}

/** What is known of one stream in this session. */
class Stream {
  newest = null;
  health = null;
  described = null;
  sequence = new Sequence();
  rate = new Rate();
}

/** Results of all streams of a publisher. Whole numbers are Numbers, stamps (*_ns) BigInts. */
export class Subscriber {
  #transport;
  #sync = new ClockSync();
  #sessions = new Sessions();
  #streams = new Map();
  #lostBefore = 0;
  #timer = null;
  #counts = { received: 0, repeated: 0, late: 0, damaged: 0, foreign: 0 };
  /** Called with each new result, fresh or not. */
  onResult = () => {};

  /** `where`: ws://HOST:PORT, or another transport with `open`, `send`, `close`. */
  constructor(where) {
    this.#transport = typeof where === "string" ? new WebSocketTransport(where) : where;
    this.#transport.open((bytes) => this.#receive(bytes));
    this.#ask();
  }

  /** The engine's run that speaks now; empty before one did. */
  get session() {
    return this.#sessions.current;
  }

  get streams() {
    return [...this.#streams.keys()].sort();
  }

  /** What came in since the start: received, lost, repeated, late, damaged, foreign, restarts. */
  get stats() {
    const lost = [...this.#streams.values()].reduce((sum, of) => sum + of.sequence.lost, this.#lostBefore);
    return { ...this.#counts, lost, restarts: this.#sessions.restarts };
  }

  /** What a stream's results are made of; null before it was told. */
  described(stream) {
    return this.#streams.get(stream)?.described ?? null;
  }

  /** The newest result that is still good, or null; of one stream, or the one captured last. Never waits. */
  latest({ stream = null, maxAgeMs = Infinity } = {}) {
    const among = stream === null ? [...this.#streams.values()] : [this.#streams.get(stream)];
    const results = among.map((of) => of?.newest).filter(Boolean);
    const newest = results.reduce((a, b) => (a === null || b.captured_ns > a.captured_ns ? b : a), null);
    return newest !== null && newest.valid && this.isFresh(newest, maxAgeMs) ? newest : null;
  }

  /** Whether its time is not over yet, for certain. */
  isFresh(result, maxAgeMs = Infinity) {
    const now = this.#sync.range(result.clock);
    return now !== null && now.mostNs <= result.valid_until_ns && this.ageMs(result) <= maxAgeMs;
  }

  /** Since its light was captured, at most; null while the publisher's clock isn't known. */
  ageMs(result) {
    const now = this.#sync.range(result.clock);
    return now === null ? null : Number(now.mostNs - result.captured_ns) / NS_PER_MS;
  }

  /** Whether a stream is to be trusted now, `ok`, and if not, why; without a name, the only one there is. */
  status(stream = this.streams.length === 1 ? this.streams[0] : null, minFps = null) {
    const of = this.#streams.get(stream);
    if (of === undefined) {
      const reason = this.streams.length > 0 ? `which stream? there is: ${this.streams.join(", ")}` : "nothing yet";
      return { alive: false, fresh: false, rateOk: false, valid: false, ok: false, reason, ageMs: null };
    }
    const dead = this.#dead(of);
    const stopped = doubt(of);
    const old = this.#old(of);
    const slow = this.#slow(of, minFps ?? of.described?.min_fps ?? 0);
    const found = { alive: !dead, fresh: !old, rateOk: !slow, valid: of.newest !== null && !stopped };
    return {
      ...found,
      ok: Object.values(found).every(Boolean),
      reason: dead || stopped || old || slow,
      ageMs: of.newest === null ? null : this.ageMs(of.newest),
    };
  }

  close() {
    clearTimeout(this.#timer);
    this.#transport.close();
  }

  #dead({ health }) {
    if (health === null) return "no heartbeat yet";
    const now = this.#sync.range(health.clock);
    if (now === null) return "the publisher's clock is not known yet";
    const silentNs = now.mostNs - health.published_ns;
    return silentNs > DEAD_AFTER_NS ? `no heartbeat for ${Math.round(Number(silentNs) / NS_PER_MS)} ms` : "";
  }

  #old({ newest }) {
    if (newest === null) return "no result yet";
    if (this.isFresh(newest)) return "";
    const ageMs = this.ageMs(newest);
    return ageMs === null ? "the publisher's clock is not known yet" : `the newest result is ${ageMs.toFixed()} ms old`;
  }

  #slow({ newest, rate }, minFps) {
    const now = newest === null ? null : this.#sync.range(newest.clock);
    const fps = now === null ? 0 : rate.fps((now.leastNs + now.mostNs) / 2n);
    return fps < minFps ? `${fps.toFixed(1)} results a second of at least ${minFps}` : "";
  }

  /** Asks for the publisher's time, again and again. */
  #ask() {
    this.#transport.send(encodeClockRequest(ClockSync.nowNs()));
    const everyMs = this.#sync.answers < FIRST_QUESTIONS ? FIRST_EVERY_MS : EVERY_MS;
    this.#timer = setTimeout(() => this.#ask(), everyMs);
  }

  #receive(bytes) {
    const nowNs = ClockSync.nowNs();
    try {
      if (isClock(bytes)) this.#sync.note(decodeClockReply(bytes), nowNs);
      else this.#note(decode(bytes));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#counts[error.fault] += 1;
    }
  }

  #note({ kind, message }) {
    if (this.#sessions.isForeign(message.session)) {
      this.#counts.foreign += 1;
      return;
    }
    if (this.#sessions.begin(message.session)) {
      this.#lostBefore = this.stats.lost;
      this.#streams.clear();
    }
    if (!this.#streams.has(message.stream)) this.#streams.set(message.stream, new Stream());
    const of = this.#streams.get(message.stream);
    if (kind === "result") this.#noteResult(of, message);
    else if (kind === "health") this.#noteHealth(of, message);
    else if (kind === "describe") {
      of.described = message;
      this.#transport.described?.(message);
    }
  }

  #noteHealth(of, health) {
    if (of.health !== null && health.published_ns <= of.health.published_ns) this.#counts.repeated += 1;
    else of.health = health;
  }

  #noteResult(of, result) {
    const published = Number(result.counters.published);
    const verdict = of.sequence.judge(published);
    this.#counts[verdict === "new" ? "received" : verdict] += 1;
    if (verdict !== "new") return;
    of.rate.note(published, result.published_ns);
    of.newest = result;
    this.onResult(result);
  }
}

function doubt({ newest, health }) {
  if (health?.paused) return "paused";
  if (health !== null && health.state !== "running") return `${health.state}: ${health.reason}`;
  return newest !== null && !newest.valid ? newest.reason || "not valid" : "";
}

/** A reply's topic, which no stream's message has. */
function isClock(bytes) {
  return bytes.length > 6 && String.fromCharCode(...bytes.subarray(0, 6)) === "clock\0";
}
