// Node over ZeroMQ, without the WebSocket output: npm install zeromq.
//
//     import { Subscriber } from "./edge_engine.js";
//     import { ZeroMqTransport } from "./zeromq.js";
//     const subscriber = new Subscriber(new ZeroMqTransport("tcp://127.0.0.1:5555"));

import { Dealer, Subscriber as Socket } from "zeromq";

const CLOCK_BYTES = 1024;

/** `keys`, Z85 as the files of `edge-engine keygen` have them: serverPublic, clientPublic, clientSecret. */
export class ZeroMqTransport {
  #endpoint;
  #curve;
  #results;
  #clock = null;
  #clockPort = 0;
  #receive = () => {};

  constructor(endpoint, keys = null) {
    this.#endpoint = endpoint;
    this.#curve = keys && {
      curveServerKey: keys.serverPublic,
      curvePublicKey: keys.clientPublic,
      curveSecretKey: keys.clientSecret,
    };
  }

  open(receive) {
    this.#receive = receive;
    this.#results = new Socket({ linger: 0, receiveHighWaterMark: 16, maxMessageSize: 2 ** 24, ...this.#curve });
    this.#results.subscribe("result/", "health/", "describe/");
    this.#results.connect(this.#endpoint);
    this.#read(this.#results);
  }

  async #read(socket) {
    try {
      for await (const [message] of socket) this.#receive(new Uint8Array(message));
    } catch (error) {
      if (!socket.closed) throw error;
    }
  }

  /** Where the publisher tells the time: at a port of its own. */
  described({ clock_port: port }) {
    if (port === 0 || port === this.#clockPort || !this.#endpoint.startsWith("tcp:")) return;
    this.#clock?.close();
    this.#clockPort = port;
    this.#clock = new Dealer({ linger: 0, maxMessageSize: CLOCK_BYTES, sendHighWaterMark: 1, ...this.#curve });
    this.#clock.connect(this.#endpoint.replace(/:\d+$/, `:${port}`));
    this.#read(this.#clock);
  }

  /** A question that finds no way now is not asked later. */
  send(bytes) {
    if (this.#clock?.writable) this.#clock.send(bytes).catch(() => {});
  }

  close() {
    this.#results.close();
    this.#clock?.close();
  }
}
