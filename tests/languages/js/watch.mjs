// A control loop that looks every 20 ms and says what it would do, in a line of JSON, until stdin ends.
//     node watch.mjs ws://HOST:PORT | tcp://HOST:PORT
import { Subscriber } from "../../../edge_engine/languages/js/edge_engine.js";

const [where] = process.argv.slice(2);
const isZeroMq = where.startsWith("tcp:");
const { ZeroMqTransport } = isZeroMq ? await import(process.env.ZEROMQ_TRANSPORT) : {};
const subscriber = new Subscriber(isZeroMq ? new ZeroMqTransport(where) : where);

const timer = setInterval(() => {
  const nowNs = process.hrtime.bigint();
  const result = subscriber.latest();
  const { ok, alive, fresh, reason } = subscriber.status();
  const age_ms = result === null ? 0 : subscriber.ageMs(result);
  const line = JSON.stringify({ ok, alive, fresh, reason, session: subscriber.session, age_ms, ...subscriber.stats });
  console.log(`${line.slice(0, -1)},"now_ns":${nowNs},"captured_ns":${result?.captured_ns ?? 0}}`);
}, 20);

process.stdin.resume();
process.stdin.on("end", () => {
  clearInterval(timer);
  subscriber.close();
});
