import type { DescribeMessage, Kinds, ResultMessage } from "./messages.js";

export * from "./messages.js";

/** Why bytes are no message: harmed on the way, or whole, but of another program or of a newer version. */
export class WireError extends Error {
  readonly fault: "damaged" | "foreign";
}

/** zlib's. */
export function crc32(bytes: Uint8Array): number;

/** Throws WireError. */
export function decode(bytes: Uint8Array): { [K in keyof Kinds]: { kind: K; message: Kinds[K] } }[keyof Kinds];

/** How messages come, and questions for the time go. */
export interface Transport {
  open(receive: (bytes: Uint8Array) => void): void;
  send(bytes: Uint8Array): void;
  close(): void;
  described?(message: DescribeMessage): void;
}

/** `alive`: the heartbeat comes; `fresh`: there is a result that is still good; `rateOk`: results come as often as
 * `min_fps` asks; `valid`: the camera runs, and the engine doesn't doubt it. `ok`: all four; `reason`: why not. */
export interface Status {
  alive: boolean;
  fresh: boolean;
  rateOk: boolean;
  valid: boolean;
  ok: boolean;
  reason: string;
  ageMs: number | null;
}

/** What came in since the start. */
export interface Stats {
  received: number;
  lost: number;
  repeated: number;
  late: number;
  damaged: number;
  foreign: number;
  restarts: number;
}

export class WebSocketTransport implements Transport {
  constructor(url: string);
  open(receive: (bytes: Uint8Array) => void): void;
  send(bytes: Uint8Array): void;
  close(): void;
}

export class Subscriber {
  /** `where`: ws://HOST:PORT, or another transport. */
  constructor(where: string | Transport);
  /** Called with each new result, fresh or not. */
  onResult: (result: ResultMessage) => void;
  readonly session: string;
  readonly streams: string[];
  readonly stats: Stats;
  described(stream: string): DescribeMessage | null;
  /** The newest result that is still good; of one stream, or the one captured last. Never waits. */
  latest(options?: { stream?: string | null; maxAgeMs?: number }): ResultMessage | null;
  isFresh(result: ResultMessage, maxAgeMs?: number): boolean;
  /** Since its light was captured, at most; null while the publisher's clock isn't known. */
  ageMs(result: ResultMessage): number | null;
  status(stream?: string | null, minFps?: number | null): Status;
  close(): void;
}
