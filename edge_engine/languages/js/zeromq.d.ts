import type { DescribeMessage, Transport } from "./edge_engine.js";

/** Z85, as the files of `edge-engine keygen` have them. */
export interface Keys {
  serverPublic: string;
  clientPublic: string;
  clientSecret: string;
}

export class ZeroMqTransport implements Transport {
  constructor(endpoint: string, keys?: Keys | null);
  open(receive: (bytes: Uint8Array) => void): void;
  send(bytes: Uint8Array): void;
  described(message: DescribeMessage): void;
  close(): void;
}
