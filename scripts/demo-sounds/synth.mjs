/**
 * Synthesis for the demo sounds: sums of partials, plucked strings, filtered noise. Sounds are mono, at RATE Hz, and the
 * same on every machine that runs V8, whose sine and exponential are computed alike everywhere.
 */
export const RATE = 32_000;
/** Hz; what lies above is left out, so that nothing folds back. */
const HIGHEST = 15_000;

/** Numbers in [0, 1) from a text (xmur3 into mulberry32). */
export function randomOf(text) {
  let state = 1779033703 ^ text.length;
  for (const letter of text) {
    state = Math.imul(state ^ letter.charCodeAt(0), 3432918353);
    state = (state << 13) | (state >>> 19);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const samplesOf = (seconds) => Math.round(seconds * RATE);
export const hertz = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

/** Rises, stays, and falls at the end. Seconds. */
export const held = (seconds, attack, release) => (t) =>
  Math.min(1, t / attack) * Math.min(1, Math.max(0, (seconds - t) / release));

/** Rises and dies away to a thousandth in `time` seconds. */
export const dying = (attack, time) => (t) => Math.min(1, t / attack) * Math.exp((-6.91 * t) / time);

/**
 * Partials with an envelope each.
 * @param partials `ratio` to f0, `level`, `envelope` of seconds
 * @param bend factor of the frequency at a time in seconds
 */
export function additive({ f0, seconds, partials, bend = () => 1, random }) {
  const out = new Float64Array(samplesOf(seconds));
  for (const { ratio, level, envelope } of partials) {
    let phase = random() * 2 * Math.PI;
    if (f0 * ratio > HIGHEST || level < 1e-4) continue;
    for (let i = 0; i < out.length; i++) {
      const t = i / RATE;
      phase += (2 * Math.PI * f0 * ratio * bend(t)) / RATE;
      out[i] += level * envelope(t) * Math.sin(phase);
    }
  }
  return out;
}

/** A vibrato that sets in after the attack. `depth` is a share of the frequency. */
export const vibrato = (depth, rate) => (t) =>
  1 + depth * Math.min(1, Math.max(0, (t - 0.15) / 0.3)) * Math.sin(2 * Math.PI * rate * t);

export function noise(seconds, random) {
  return new Float64Array(samplesOf(seconds)).map(() => random() * 2 - 1);
}

/** A second-order filter of the Audio EQ Cookbook: `low`, `high` or `band` pass. */
export function filtered(x, kind, frequency, q = 0.7) {
  const w = (2 * Math.PI * Math.min(frequency, 0.49 * RATE)) / RATE;
  const [cos, alpha] = [Math.cos(w), Math.sin(w) / (2 * q)];
  const b = {
    low: [(1 - cos) / 2, 1 - cos, (1 - cos) / 2],
    high: [(1 + cos) / 2, -(1 + cos), (1 + cos) / 2],
    band: [alpha, 0, -alpha],
  }[kind].map((value) => value / (1 + alpha));
  const [a1, a2] = [(-2 * cos) / (1 + alpha), (1 - alpha) / (1 + alpha)];
  const out = new Float64Array(x.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const y = b[0] * x[i] + b[1] * x1 + b[2] * x2 - a1 * y1 - a2 * y2;
    [x2, x1, y2, y1] = [x1, x[i], y1, y];
    out[i] = y;
  }
  return out;
}

export const shaped = (x, envelope) => x.map((value, i) => value * envelope(i / RATE));

/** Sounds laid over each other, each as [sound, level, seconds of its start]. */
export function mixed(...parts) {
  const ends = parts.map(([x, , start = 0]) => samplesOf(start) + x.length);
  const out = new Float64Array(Math.max(...ends));
  for (const [x, level, start = 0] of parts) {
    const from = samplesOf(start);
    for (let i = 0; i < x.length; i++) out[from + i] += level * x[i];
  }
  return out;
}

/** Plucked string (Karplus and Strong 1983, with the extensions of Jaffe and Smith for tuning, place and decay). */
export function plucked({ f0, seconds, bright, place, time, random }) {
  const period = RATE / f0 - 0.5;
  const whole = Math.floor(period);
  const line = filtered(noise((whole + 1) / RATE, random), 'low', bright);
  const comb = Math.max(1, Math.round(place * whole));
  const burst = line.map((value, i) => value - (line[(i + comb) % line.length] ?? 0));
  const loss = Math.exp(-6.91 / (f0 * time));
  const out = new Float64Array(samplesOf(seconds));
  const rest = period - whole;
  for (let i = 0; i < out.length; i++) {
    if (i < whole + 1) {
      out[i] = burst[i] ?? 0;
      continue;
    }
    const at = i - whole;
    const near = (1 - rest) * out[at] + rest * out[at - 1];
    const far = (1 - rest) * out[at - 1] + rest * (out[at - 2] ?? 0);
    out[i] = (loss * (near + far)) / 2;
  }
  return out;
}

/** Scales to a peak in dBFS and fades the last 5 ms. */
export function levelled(x, decibels) {
  const peak = x.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const gain = 10 ** (decibels / 20) / peak;
  const fade = samplesOf(0.005);
  return x.map((value, i) => value * gain * Math.min(1, (x.length - 1 - i) / fade));
}

/** Hz, of the whole sound: the mean frequency weighted by energy, from the energy of its slope. */
export function centroid(x) {
  let [energy, slope] = [1e-12, 0];
  for (let i = 1; i < x.length; i++) {
    energy += x[i] ** 2;
    slope += (x[i] - x[i - 1]) ** 2;
  }
  return (Math.sqrt(slope / energy) * RATE) / (2 * Math.PI);
}
