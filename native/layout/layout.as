// The layout of UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426) in two dimensions, in AssemblyScript. Everything is
// one thread of float32 and float64 arithmetic in a fixed order, so that a seed gives the same bits on every processor.

/** Steps of the search for a row's width; each halves the interval or doubles it. */
const SEARCHES: i32 = 64;
const CLOSE_ENOUGH: f64 = 1e-5;
/** Widths below this share of the mean distance are too sharp to mean anything. */
const LEAST_WIDTH: f64 = 1e-3;
/** Gradients beyond this are cut off. */
const STEEPEST: f32 = 4;
/** Keeps the push between points at one place finite. */
const APART: f32 = 0.001;
/** Random others that a point is pushed from whenever it is pulled. */
const PUSHES: i32 = 5;

let state: u32 = 1;

/** Starts the random numbers anew; `value` must not be 0. */
export function seed(value: u32): void {
  state = value;
}

// xorshift32 (Marsaglia 2003): which other points push is all that is drawn.
// @ts-ignore: decorator
@inline
function draw(): u32 {
  let x = state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  state = x;
  return x;
}

/**
 * Memberships of `count` rows' neighbours (§3.1): exp(−(d − ρ) / σ), where ρ is the distance to the nearest that lies
 * apart and σ makes them sum to `target`.
 * @param distances f32 `[count, width]`, ascending · @param weights f32, the same shape, written
 */
export function memberships(distances: usize, count: i32, width: i32, target: f64, weights: usize): void {
  let total: f64 = 0;
  for (let i = 0, n = count * width; i < n; i++) total += <f64>load<f32>(distances + (<usize>i << 2));
  const mean = total / <f64>(count * width);
  for (let row = 0; row < count; row++) {
    const from = distances + ((<usize>row * <usize>width) << 2);
    let nearest: f64 = 0;
    let own: f64 = 0;
    for (let k = 0; k < width; k++) {
      const distance = <f64>load<f32>(from + (<usize>k << 2));
      own += distance;
      if (nearest == 0 && distance > 0) nearest = distance;
    }
    own /= <f64>width;
    let low: f64 = 0;
    let high: f64 = Infinity;
    let sigma: f64 = 1;
    for (let step = 0; step < SEARCHES; step++) {
      let sum: f64 = 0;
      for (let k = 0; k < width; k++) {
        const beyond = <f64>load<f32>(from + (<usize>k << 2)) - nearest;
        sum += beyond > 0 ? <f64>Mathf.exp(<f32>(-beyond / sigma)) : 1;
      }
      if (abs(sum - target) < CLOSE_ENOUGH) break;
      if (sum > target) {
        high = sigma;
        sigma = (low + high) / 2;
      } else {
        low = sigma;
        sigma = high == Infinity ? sigma * 2 : (low + high) / 2;
      }
    }
    const least = LEAST_WIDTH * (nearest > 0 ? own : mean);
    if (sigma < least) sigma = least;
    const to = weights + ((<usize>row * <usize>width) << 2);
    for (let k = 0; k < width; k++) {
      const beyond = <f64>load<f32>(from + (<usize>k << 2)) - nearest;
      store<f32>(to + (<usize>k << 2), beyond > 0 && sigma > 0 ? Mathf.exp(<f32>(-beyond / sigma)) : 1);
    }
  }
}

/** Membership of `other` among the neighbours of `row`, which may be 0; −1 where it is none of them. */
function membership(neighbours: usize, weights: usize, width: i32, row: i32, other: i32): f32 {
  const start = (<usize>row * <usize>width) << 2;
  for (let k = 0; k < width; k++)
    if (load<i32>(neighbours + start + (<usize>k << 2)) == other) return load<f32>(weights + start + (<usize>k << 2));
  return -1;
}

/**
 * The fuzzy union of both directions, a + b − ab, as one edge for every pair: those of a row's neighbours, unless the other
 * row has listed it already.
 * @param neighbours i32 `[count, width]` · @param weights f32 `[count, width]`
 * @param heads, tails i32 and strengths f32, room for `count · width` each, written
 * @returns how many edges there are
 */
export function unite(
  neighbours: usize,
  weights: usize,
  count: i32,
  width: i32,
  heads: usize,
  tails: usize,
  strengths: usize,
): i32 {
  let edges: i32 = 0;
  for (let row = 0; row < count; row++)
    for (let k = 0; k < width; k++) {
      const place = (<usize>row * <usize>width + <usize>k) << 2;
      const other = load<i32>(neighbours + place);
      const there = load<f32>(weights + place);
      const listed = membership(neighbours, weights, width, other, row);
      if (listed >= 0 && other < row) continue;
      const back = max<f32>(listed, 0);
      const at = <usize>edges << 2;
      store<i32>(heads + at, row);
      store<i32>(tails + at, other);
      store<f32>(strengths + at, there + back - there * back);
      edges++;
    }
  return edges;
}

// @ts-ignore: decorator
@inline
function cut(value: f32): f32 {
  return max(-STEEPEST, min(STEEPEST, value));
}

/** Pushes a point from random others. */
function push(points: usize, count: u32, row: i32, a: f32, b: f32, rate: f32): void {
  const own = points + (<usize>row << 3);
  let x = load<f32>(own);
  let y = load<f32>(own, 4);
  for (let i = 0; i < PUSHES; i++) {
    const other = points + (<usize>(draw() % count) << 3);
    if (other == own) continue;
    const dx = x - load<f32>(other);
    const dy = y - load<f32>(other, 4);
    const squared = dx * dx + dy * dy;
    if (squared > 0) {
      const gain: f32 = (2 * b) / ((APART + squared) * (1 + a * Mathf.pow(squared, b)));
      x += rate * cut(gain * dx);
      y += rate * cut(gain * dy);
    } else {
      x += rate * STEEPEST;
      y += rate * STEEPEST;
    }
  }
  store<f32>(own, x);
  store<f32>(own, y, 4);
}

/**
 * One pass: every edge whose turn it is pulls its ends together and pushes both from random others. An edge of strength s
 * has its turn in s / strongest of the passes.
 * @param points f32 `[count, 2]` · @param due f32 `[edges]`: strength summed up since its last turn, in parts of the strongest
 */
export function pass(
  points: usize,
  count: i32,
  heads: usize,
  tails: usize,
  shares: usize,
  due: usize,
  edges: i32,
  a: f32,
  b: f32,
  rate: f32,
): void {
  for (let edge = 0; edge < edges; edge++) {
    const at = <usize>edge << 2;
    const waited = load<f32>(due + at) + load<f32>(shares + at);
    if (waited < 1) {
      store<f32>(due + at, waited);
      continue;
    }
    store<f32>(due + at, waited - 1);
    const head = load<i32>(heads + at);
    const tail = load<i32>(tails + at);
    const one = points + (<usize>head << 3);
    const other = points + (<usize>tail << 3);
    // Both directions of the pair, as the symmetric graph of umap-learn has them: pulled twice as far, pushed once each.
    for (let turn = 0; turn < 2; turn++) {
      const dx = load<f32>(one) - load<f32>(other);
      const dy = load<f32>(one, 4) - load<f32>(other, 4);
      const squared = dx * dx + dy * dy;
      if (squared > 0) {
        const power = Mathf.pow(squared, b);
        const gain: f32 = (-2 * a * b * power) / (squared * (1 + a * power));
        const stepX = rate * cut(gain * dx);
        const stepY = rate * cut(gain * dy);
        store<f32>(one, load<f32>(one) + stepX);
        store<f32>(one, load<f32>(one, 4) + stepY, 4);
        store<f32>(other, load<f32>(other) - stepX);
        store<f32>(other, load<f32>(other, 4) - stepY, 4);
      }
      push(points, count, turn == 0 ? head : tail, a, b, rate);
    }
  }
}
