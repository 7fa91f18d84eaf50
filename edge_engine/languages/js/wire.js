// A message from its bytes: topic NUL payload crc32, as FORMAT.md has it. Browsers and Node; no dependencies.
//
// Whole numbers are Numbers, but for *_ns, nanoseconds, which are BigInts always: they exceed 2^53 after 104 days.

import { CLOCK_TOPIC, KINDS, STRUCTS, WIRE_VERSION } from "./messages.js";

const MOST_NESTED = 64;
const CRC_BYTES = 4;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const crcTable = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Why bytes are no message: `fault` is "damaged", or "foreign": whole, but of another program or newer. */
export class WireError extends Error {
  constructor(fault, message) {
    super(message);
    this.fault = fault;
  }
}

/** Stands for a text that is no UTF-8: no value, but the name of an unknown field may be one. */
const GARBLED = Symbol("garbled");

const foreign = (message) => new WireError("foreign", message);

/** zlib's CRC-32. */
export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ crcTable[(value ^ byte) & 0xff];
  return ~value >>> 0;
}

/** The message in a Uint8Array, `{kind, message}`; throws WireError. */
export function decode(bytes) {
  const { topic, payload } = unseal(bytes);
  const kind = topic.split("/", 1)[0];
  if (!Object.hasOwn(KINDS, kind)) throw foreign(`unknown topic ${topic.slice(0, 40)}`);
  const message = shaped(read(payload), KINDS[kind], kind);
  if (message.version > WIRE_VERSION) throw foreign(`version ${message.version} is newer than this client's`);
  if (topic !== `${kind}/${message.stream}`) throw foreign(`topic ${topic.slice(0, 40)} is of another stream`);
  return { kind, message };
}

/** A ClockReply; throws WireError. */
export function decodeClockReply(bytes) {
  const { topic, payload } = unseal(bytes);
  if (topic !== CLOCK_TOPIC) throw foreign(`topic ${topic.slice(0, 40)}; expected ${CLOCK_TOPIC}`);
  return shaped(read(payload), "ClockReply", CLOCK_TOPIC);
}

/** Asks for the publisher's time; `sentNs` is a BigInt and comes back. */
export function encodeClockRequest(sentNs) {
  const head = [...new TextEncoder().encode(CLOCK_TOPIC), 0, 0x81, 0xa7, ...new TextEncoder().encode("sent_ns"), 0xd3];
  const bytes = new Uint8Array(head.length + 8 + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(head);
  view.setBigInt64(head.length, sentNs);
  view.setUint32(head.length + 8, crc32(bytes.subarray(0, head.length + 8)));
  return bytes;
}

function unseal(bytes) {
  const end = bytes.length - CRC_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (end < 0 || crc32(bytes.subarray(0, end)) !== view.getUint32(end)) {
    throw new WireError("damaged", `checksum mismatch in ${bytes.length} bytes`);
  }
  const nul = bytes.subarray(0, end).indexOf(0);
  if (nul < 0) throw foreign(`no topic in ${bytes.length} bytes`);
  return { topic: new TextDecoder().decode(bytes.subarray(0, nul)), payload: bytes.subarray(nul + 1, end) };
}

/** One MessagePack value, as the whole of the bytes. Maps become Maps, so that no key does harm. */
function read(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function take(size) {
    if (size > bytes.length - at) throw foreign("the payload ends too early");
    at += size;
    return at - size;
  }
  const sizes = [() => view.getUint8(take(1)), () => view.getUint16(take(2)), () => view.getUint32(take(4))];
  const binary = (size) => bytes.subarray(take(size), at);

  function text(size) {
    const raw = binary(size);
    try {
      return utf8.decode(raw);
    } catch {
      return GARBLED;
    }
  }

  function list(size, depth) {
    if (size > bytes.length - at) throw foreign("the payload ends too early");
    return Array.from({ length: size }, () => value(depth + 1));
  }

  function map(size, depth) {
    const found = new Map();
    for (; size > 0; size--) found.set(value(depth + 1), value(depth + 1));
    return found;
  }

  function value(depth) {
    if (depth > MOST_NESTED) throw foreign("the payload is nested too deeply");
    const head = view.getUint8(take(1));
    if (head <= 0x7f) return head;
    if (head <= 0x8f) return map(head & 0x0f, depth);
    if (head <= 0x9f) return list(head & 0x0f, depth);
    if (head <= 0xbf) return text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    if (head >= 0xc4 && head <= 0xc6) return binary(sizes[head - 0xc4]());
    if (head >= 0xc7 && head <= 0xc9) return extension(sizes[head - 0xc7]());
    if (head >= 0xd4 && head <= 0xd8) return extension(1 << (head - 0xd4));
    if (head >= 0xd9 && head <= 0xdb) return text(sizes[head - 0xd9]());
    if (head >= 0xdc && head <= 0xdd) return list(sizes[head - 0xdb](), depth);
    if (head >= 0xde) return map(sizes[head - 0xdd](), depth);
    return scalar(head);
  }

  function scalar(head) {
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xca: return { float: view.getFloat32(take(4)) };
      case 0xcb: return { float: view.getFloat64(take(8)) };
      case 0xcc: return view.getUint8(take(1));
      case 0xcd: return view.getUint16(take(2));
      case 0xce: return view.getUint32(take(4));
      case 0xcf: return narrow(view.getBigUint64(take(8)));
      case 0xd0: return view.getInt8(take(1));
      case 0xd1: return view.getInt16(take(2));
      case 0xd2: return view.getInt32(take(4));
      case 0xd3: return narrow(view.getBigInt64(take(8)));
    }
    throw foreign("the payload is no MessagePack");
  }

  function extension(size) {
    return { extension: binary(size + 1) };
  }

  const found = value(0);
  if (at !== bytes.length) throw foreign("bytes behind the payload");
  return found;
}

const narrow = (number) => (BigInt.asIntN(54, number) === number ? Number(number) : number);

/** A value as the type says (see messages.js); throws WireError. Unknown fields are left out, missing ones filled. */
function shaped(value, type, where) {
  if (Array.isArray(type)) return shapedParts(value, type, where);
  if (Object.hasOwn(STRUCTS, type)) return shapedStruct(value, STRUCTS[type], where);
  const isWhole = typeof value === "number" || typeof value === "bigint";
  if (type === "ns" && isWhole) return BigInt(value);
  if (type === "int" && isWhole) return value;
  if (type === "float" && isWhole) return Number(value);
  if (type === "float" && typeof value?.float === "number") return value.float;
  if (type === "bool" && typeof value === "boolean") return value;
  if (type === "str" && typeof value === "string") return value;
  throw foreign(`${where}: expected ${type}`);
}

function shapedParts(value, [kind, ...inner], where) {
  if (kind === "optional") return value === null ? null : shaped(value, inner[0], where);
  if (kind === "literal" && inner.includes(value)) return value;
  if (kind === "list" && Array.isArray(value)) return value.map((each) => shaped(each, inner[0], where));
  if (kind === "tuple" && Array.isArray(value) && value.length === inner.length) {
    return value.map((each, i) => shaped(each, inner[i], where));
  }
  if (kind === "map" && value instanceof Map) {
    const entries = [...value].map(([key, each]) => [shaped(key, "str", where), shaped(each, inner[0], where)]);
    return Object.fromEntries(entries);
  }
  throw foreign(`${where}: expected a ${kind}`);
}

function shapedStruct(value, fields, where) {
  if (!(value instanceof Map)) throw foreign(`${where}: expected a map`);
  const isNamed = [...value.keys()].every((key) => typeof key === "string" || key === GARBLED);
  if (!isNamed) throw foreign(`${where}: a field's name is no text`);
  const entries = Object.entries(fields).map(([name, [type, ...whenMissing]]) => {
    if (value.has(name)) return [name, shaped(value.get(name), type, `${where}.${name}`)];
    if (whenMissing.length === 0) throw foreign(`${where}.${name} is missing`);
    return [name, structuredClone(whenMissing[0])];
  });
  return Object.fromEntries(entries);
}
