// Reads messages from stdin, each behind its length (4 bytes, big-endian), and says what each is: a line of JSON.
import { readFileSync } from "node:fs";
import { decode, decodeClockReply } from "../../../edge_engine/languages/js/wire.js";

/** BigInts as digits, which JSON.stringify refuses. */
function json(value) {
  const text = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `\u0001${each}\u0001` : each));
  return text.replaceAll(/"\\u0001(-?\d+)\\u0001"/g, "$1");
}

function said(message) {
  try {
    return decode(message).message;
  } catch (error) {
    try {
      return decodeClockReply(message);
    } catch {
      if (!error.fault) throw error;
      return error.fault;
    }
  }
}

const input = new Uint8Array(readFileSync(0));
const view = new DataView(input.buffer);
const lines = [];
for (let at = 0; at < input.length; ) {
  const size = view.getUint32(at);
  lines.push(json(said(input.subarray(at + 4, at + 4 + size))));
  at += 4 + size;
}
process.stdout.write(`${lines.join("\n")}\n`);
