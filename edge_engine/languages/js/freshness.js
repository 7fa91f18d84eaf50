// What a client must know to be fresh or silent: what was lost, whose run speaks, how often results come, and how
// far the publisher's clock is from this one's. As edge_engine/client has it in Python.

const NS_PER_S = 1_000_000_000n;

/** Which of a stream's results is new; so many behind the newest one are known one by one. */
export class Sequence {
  static #REMEMBERED = 256;
  lost = 0;
  #newest = null;
  #first = 0;
  #seen = new Set();

  /** "new", "repeated", or "late": a newer one came first. */
  judge(number) {
    if (this.#newest === null) this.#first = number;
    else if (number <= this.#newest) return this.#judgeOld(number);
    else this.lost += number - this.#newest - 1;
    this.#newest = number;
    this.#seen.add(number);
    for (const old of this.#seen) if (old <= number - Sequence.#REMEMBERED) this.#seen.delete(old);
    return "new";
  }

  #judgeOld(number) {
    if (this.#newest - number >= Sequence.#REMEMBERED || this.#seen.has(number)) return "repeated";
    this.#seen.add(number);
    if (number > this.#first) this.lost -= 1; // what came before the first one was never missed
    return "late";
  }
}

/** Which run of the engine speaks: one that another has followed never does again. */
export class Sessions {
  static #MOST_RETIRED = 64;
  current = "";
  restarts = 0;
  #retired = [];

  isForeign(session) {
    return this.#retired.includes(session);
  }

  /** Whether this is a new one. */
  begin(session) {
    if (session === this.current) return false;
    if (this.current !== "") {
      this.#retired = [...this.#retired, this.current].slice(-Sessions.#MOST_RETIRED);
      this.restarts += 1;
    }
    this.current = session;
    return true;
  }
}

/** Results a second, of the last two, by the publisher's own count and stamps. */
export class Rate {
  static #WINDOW_NS = 2n * NS_PER_S;
  #published = [];

  note(number, publishedNs) {
    this.#published.push([number, publishedNs]);
    while (publishedNs - this.#published[0][1] > Rate.#WINDOW_NS) this.#published.shift();
  }

  /** By now, on the publisher's clock; a stream that has ended slows down to 0. */
  fps(nowNs) {
    const inside = this.#published.filter(([, atNs]) => nowNs - atNs <= Rate.#WINDOW_NS);
    if (inside.length === 0 || nowNs <= inside[0][1]) return 0;
    return ((inside.at(-1)[0] - inside[0][0]) * 1e9) / Number(nowNs - inside[0][1]);
  }
}

/**
 * The publisher's clock, by Cristian's algorithm (1989): a request leaves here at a, arrives there at b, is answered
 * at c, and the answer is back at d. Whatever the network does, c - d <= there - here <= b - a; the narrowest bounds
 * of many exchanges hold, and loosen as quartz drifts.
 */
export class ClockSync {
  static #KEPT = 64;
  static #MAX_DRIFT_PPM = 600n;
  static #MOST_SLEPT_MS = 250;
  clock = "";
  answers = 0;
  #bounds = [];
  #stepNs = clockStepNs();
  #awake = apartMs();

  /** This machine's monotonic clock, which may be up to a step behind itself: browsers make it coarse. */
  static nowNs() {
    return BigInt(Math.round(performance.now() * 1e6));
  }

  /** Whose clock `reply` tells, which came at `backNs`; another clock's begins anew. */
  note(reply, backNs) {
    if (reply.clock !== this.clock) this.forget(reply.clock);
    this.answers += 1;
    const lowerNs = reply.answered_ns - (backNs + this.#stepNs);
    this.#bounds.push({ lowerNs, upperNs: reply.received_ns - reply.asked_ns, atNs: reply.asked_ns });
    if (this.#bounds.length > ClockSync.#KEPT) this.#bounds.shift();
  }

  forget(clock = "") {
    this.clock = clock;
    this.answers = 0;
    this.#bounds = [];
  }

  /** The least and the most that the clock of that name can show now; null while it isn't known. */
  range(clock) {
    this.#forgetIfItSlept();
    if (clock !== this.clock || this.#bounds.length === 0) return null;
    const nowNs = ClockSync.nowNs();
    const { lowerNs, upperNs } = this.#narrowest(nowNs);
    return { leastNs: nowNs + lowerNs, mostNs: nowNs + this.#stepNs + upperNs };
  }

  /** What all bounds agree on; the newest ones alone where a clock has been changed since the older ones. */
  #narrowest(nowNs) {
    let known = null;
    for (const { lowerNs, upperNs, atNs } of [...this.#bounds].reverse()) {
      const looseNs = ((nowNs - atNs) * ClockSync.#MAX_DRIFT_PPM) / 1_000_000n + 2n;
      const [lowestNs, highestNs] = [lowerNs - looseNs, upperNs + looseNs];
      if (known === null) known = { lowerNs: lowestNs, upperNs: highestNs };
      else if (lowestNs > known.upperNs || highestNs < known.lowerNs) break;
      else known = { lowerNs: max(known.lowerNs, lowestNs), upperNs: min(known.upperNs, highestNs) };
    }
    return known;
  }

  /** A monotonic clock may stand still while the machine sleeps, and the wall clock goes on. */
  #forgetIfItSlept() {
    const apart = apartMs();
    if (Math.abs(apart - this.#awake) > ClockSync.#MOST_SLEPT_MS) this.forget(this.clock);
    this.#awake = apart;
  }
}

const max = (a, b) => (a > b ? a : b);
const min = (a, b) => (a < b ? a : b);
const apartMs = () => Date.now() - performance.now();

/** The longest of the clock's next steps, as far as 20 ms show it: some browsers have one of 100 ms. */
function clockStepNs() {
  const until = Date.now() + 20;
  let [longest, last, steps] = [0, performance.now(), 0];
  while (steps < 4 && Date.now() < until) {
    const now = performance.now();
    if (now > last) [longest, last, steps] = [Math.max(longest, now - last), now, steps + 1];
  }
  return steps > 0 ? BigInt(Math.ceil(longest * 1e6)) : 100_000_000n;
}
