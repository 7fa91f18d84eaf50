// A control loop that looks every 20 ms and says what it would do, in a line of JSON, until stdin ends.
//     node watch.mjs ws://HOST:PORT | tcp://HOST:PORT [STEP_MS]
// STEP_MS makes its clock as coarse as some browsers have it.
const [where, stepMs] = process.argv.slice(2);
if (stepMs) {
  const now = performance.now.bind(performance);
  performance.now = () => Math.floor(now() / stepMs) * stepMs;
}
const { Subscriber } = await import("../../../edge_engine/languages/js/edge_engine.js");
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
