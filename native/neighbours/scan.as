// The inner loops of the exact neighbour search (AssemblyScript; compiled to WebAssembly SIMD by scripts/build-native.mjs).
//
// They find, for one query, every row whose distance might still belong to the k smallest. Rows are stored as 8-bit
// codes with what is known of their rounding; a row is offered when its *lowest possible* score does not exceed the
// k-th smallest *highest possible* score so far. models/neighbours/space.ts explains the numbers and proves the bounds,
// tests/support/scan-twin.ts is the same in TypeScript, operation for operation.
//
// Memory is laid out and owned by the caller. Rows come in groups of four, padded at the end. The facts of a group are
// four vectors of four float32: level A, step S, rounding E, length Y (64 bytes a group).
//
// A query's record:
const LIMIT: usize = 0; // f32: rows whose lowest score exceeds this are out
const GAIN: usize = 4; // f32: what a product of codes is worth, times the row's step
const SPREAD: usize = 8; // f32: uncertainty per unit of E
const BLUR: usize = 12; // f32: uncertainty per unit of Y
const SLACK: usize = 16; // f64: uncertainty of every score
const WANTED: usize = 24; // i32: k
const HELD: usize = 28; // i32: how many highest scores are in the heap
const HEAP: usize = 32; // address of k f64: a max-heap of the smallest highest scores
const ROOM: usize = 36; // i32: how many offers fit
const OFFERED: usize = 40; // i32: how many offers there are; -1 when they no longer fit
const OFFERS: usize = 44; // address of pairs (i32 row, f32 lowest score)

// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** Lowest possible scores of four rows. */
// @ts-ignore: decorator
@inline
function lowest(products: v128, facts: usize, gain: v128, spread: v128, blur: v128): v128 {
  const part = f32x4.mul(gain, f32x4.mul(v128.load(facts, 16), f32x4.convert_i32x4_s(products)));
  const level = f32x4.sub(v128.load(facts), part);
  const doubt = f32x4.sub(level, f32x4.mul(spread, v128.load(facts, 32)));
  return f32x4.sub(doubt, f32x4.mul(blur, v128.load(facts, 48)));
}

/**
 * Scans groups of four rows of codes, interleaved by eights: row 0's first eight, row 1's, row 2's, row 3's, then the
 * next eights. `width` is the padded dimension, a multiple of 8; `query` its int16 codes.
 */
export function scan(
  codes: usize,
  facts: usize,
  first: i32,
  count: i32,
  width: i32,
  query: usize,
  record: usize,
): void {
  const gain = f32x4.splat(load<f32>(record, GAIN));
  const spread = f32x4.splat(load<f32>(record, SPREAD));
  const blur = f32x4.splat(load<f32>(record, BLUR));
  const stride: usize = <usize>width * 4;
  let x = codes;
  for (let row = 0; row < count; row += 4) {
    const end = x + stride;
    let p = query;
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    while (x < end) {
      const w = v128.load(p);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load_ext<i8>(x), w));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 8), w));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 16), w));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 24), w));
      x += 32;
      p += 16;
    }
    const dots = sums(a, b, c, d);
    const low = lowest(dots, facts, gain, spread, blur);
    // “Not greater” rather than “at most”: a score that overflowed into NaN must not be lost.
    if (!i32x4.all_true(f32x4.gt(low, v128.load32_splat(record, LIMIT))))
      offerFour(dots, low, facts, first + row, min(4, count - row), record);
    facts += 64;
  }
}

// @ts-ignore: decorator
@inline
function halves(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

// @ts-ignore: decorator
@inline
function low16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function high16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// @ts-ignore: decorator
@inline
function low32(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
function high32(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/**
 * Lays interleaved codes of `rows` rows (a multiple of 4) out as columns: [width, rows] bytes, as a matrix product takes
 * them.
 */
export function columns(codes: usize, rows: i32, width: i32, out: usize): void {
  const group: usize = <usize>width << 2;
  const column = <usize>rows;
  let row = 0;
  for (; row + 16 <= rows; row += 16) {
    let x = codes + <usize>row * <usize>width;
    let y = out + <usize>row;
    for (let d = 0; d < width; d += 8) {
      // Pairs of rows, eight components of each: first their bytes are interleaved, then 8 × 8 pairs transposed.
      const a = halves(v128.load(x));
      const b = halves(v128.load(x, 16));
      const c = halves(v128.load(x + group));
      const e = halves(v128.load(x + group, 16));
      const f = halves(v128.load(x + 2 * group));
      const g = halves(v128.load(x + 2 * group, 16));
      const h = halves(v128.load(x + 3 * group));
      const i = halves(v128.load(x + 3 * group, 16));
      const ab = low16(a, b);
      const ce = low16(c, e);
      const fg = low16(f, g);
      const hi = low16(h, i);
      let left = low32(ab, ce);
      let right = low32(fg, hi);
      v128.store(y, v128.shuffle<i64>(left, right, 0, 2));
      v128.store(y + column, v128.shuffle<i64>(left, right, 1, 3));
      left = high32(ab, ce);
      right = high32(fg, hi);
      v128.store(y + 2 * column, v128.shuffle<i64>(left, right, 0, 2));
      v128.store(y + 3 * column, v128.shuffle<i64>(left, right, 1, 3));
      const ba = high16(a, b);
      const ec = high16(c, e);
      const gf = high16(f, g);
      const ih = high16(h, i);
      left = low32(ba, ec);
      right = low32(gf, ih);
      v128.store(y + 4 * column, v128.shuffle<i64>(left, right, 0, 2));
      v128.store(y + 5 * column, v128.shuffle<i64>(left, right, 1, 3));
      left = high32(ba, ec);
      right = high32(gf, ih);
      v128.store(y + 6 * column, v128.shuffle<i64>(left, right, 0, 2));
      v128.store(y + 7 * column, v128.shuffle<i64>(left, right, 1, 3));
      x += 32;
      y += 8 * column;
    }
  }
  for (; row < rows; row++) {
    const from = codes + <usize>(row & ~3) * <usize>width + (<usize>(row & 3) << 3);
    for (let d = 0; d < width; d++)
      store<i8>(out + <usize>d * column + <usize>row, load<i8>(from + (<usize>(d >> 3) << 5) + <usize>(d & 7)));
  }
}

/**
 * The same choice among rows whose products with the query are already known: `count` int32 at `high`, or, when `low`
 * is not 0, 128 times those plus the ones at `low`.
 */
export function sift(high: usize, low: usize, facts: usize, first: i32, count: i32, record: usize): void {
  const gain = f32x4.splat(load<f32>(record, GAIN));
  const spread = f32x4.splat(load<f32>(record, SPREAD));
  const blur = f32x4.splat(load<f32>(record, BLUR));
  for (let row = 0; row < count; row += 4) {
    let dots = v128.load(high);
    if (low != 0) {
      dots = i32x4.add(i32x4.shl(dots, 7), v128.load(low));
      low += 16;
    }
    const least = lowest(dots, facts, gain, spread, blur);
    if (!i32x4.all_true(f32x4.gt(least, v128.load32_splat(record, LIMIT))))
      offerFour(dots, least, facts, first + row, min(4, count - row), record);
    high += 16;
    facts += 64;
  }
}

// @ts-ignore: decorator
@inline
function total(a: v128): f64 {
  // Lanes may not be added in 32 bits before: a whole product fits, and so does every part of one.
  return <f64>(i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1) + i32x4.extract_lane(a, 2) + i32x4.extract_lane(a, 3));
}

/**
 * Looks again at the rows on offer, with what their codes left over: `rests`, row after row, are in 254ths of the step,
 * and `narrow` (f32 a row) is the length of what even those miss. Lowest scores and limit become much sharper.
 */
export function refine(codes: usize, rests: usize, facts: usize, narrow: usize, width: i32, query: usize, record: usize): void {
  const offered = load<i32>(record, OFFERED);
  const offers = <usize>load<u32>(record, OFFERS);
  const before = load<f32>(record, LIMIT);
  store<i32>(record, 0, HELD);
  store<f32>(record, Infinity, LIMIT);
  for (let i = 0; i < offered; i++) {
    const slot = offers + (<usize>i << 3);
    if (load<f32>(slot, 4) > before) {
      // Impossible since: it must stay so, however the limit moves.
      store<f32>(slot, Infinity, 4);
      continue;
    }
    const row = load<i32>(slot);
    const lane = row & 3;
    let x = codes + <usize>(row - lane) * <usize>width + (<usize>lane << 3);
    let y = rests + <usize>row * <usize>width;
    const end = y + <usize>width;
    let p = query;
    let a = i32x4.splat(0);
    let b = a;
    while (y < end) {
      const w = v128.load(p);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load_ext<i8>(x), w));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load_ext<i8>(y), w));
      x += 32;
      y += 8;
      p += 16;
    }
    const own = facts + (<usize>(row >> 2) << 6) + (<usize>lane << 2);
    const level = <f64>load<f32>(own);
    const part = <f64>load<f32>(record, GAIN) * (<f64>load<f32>(own, 16) * (total(a) + total(b) / 254));
    const doubt =
      <f64>load<f32>(record, SPREAD) * <f64>load<f32>(narrow + (<usize>row << 2)) +
      <f64>load<f32>(record, BLUR) * <f64>load<f32>(own, 48);
    const low = level - part - doubt;
    store<f32>(slot, <f32>(low - abs(low) * 0.00000023841857910156250), 4);
    hold(level + abs(level) * 0.0000019073486328125 - part + doubt, record);
  }
}

// Out of the hot loops on purpose: few groups get here.
// @ts-ignore: decorator
@lazy const lanes = memory.data(32, 16);

function offerFour(dots: v128, low: v128, facts: usize, row: i32, count: i32, record: usize): void {
  v128.store(lanes, dots);
  v128.store(lanes, low, 16);
  for (let lane = 0; lane < count; lane++) {
    const at: usize = <usize>lane << 2;
    offer(row + lane, load<f32>(lanes + at, 16), load<i32>(lanes + at), facts + at, record);
  }
}

function offer(row: i32, low: f32, product: i32, facts: usize, record: usize): void {
  if (low > load<f32>(record, LIMIT)) return;
  let offered = load<i32>(record, OFFERED);
  if (offered < 0) return;
  if (offered == load<i32>(record, ROOM)) {
    offered = tidy(record);
    store<i32>(record, offered, OFFERED);
    if (offered < 0) return;
  }
  const slot = <usize>load<u32>(record, OFFERS) + (<usize>offered << 3);
  store<i32>(slot, row);
  store<f32>(slot, low, 4);
  store<i32>(record, offered + 1, OFFERED);

  const level = <f64>load<f32>(facts);
  const part = <f64>load<f32>(record, GAIN) * (<f64>load<f32>(facts, 16) * <f64>product);
  const doubt =
    <f64>load<f32>(record, SPREAD) * <f64>load<f32>(facts, 32) +
    <f64>load<f32>(record, BLUR) * <f64>load<f32>(facts, 48);
  // The level was rounded down by 2⁻²⁰ of itself; twice as much upwards is an upper bound.
  hold(level + abs(level) * 0.0000019073486328125 - part + doubt, record);
}

/** Drops the offers that have become impossible; -1 when that makes no room. */
function tidy(record: usize): i32 {
  const limit = load<f32>(record, LIMIT);
  const offers = <usize>load<u32>(record, OFFERS);
  const room = load<i32>(record, ROOM);
  let kept = 0;
  for (let i = 0; i < room; i++) {
    const from = offers + (<usize>i << 3);
    if (load<f32>(from, 4) > limit) continue;
    store<u64>(offers + (<usize>kept << 3), load<u64>(from));
    kept++;
  }
  // Tidying again and again for a handful of places would cost more than the row-by-row search that follows.
  return kept > room - (room >> 3) ? -1 : kept;
}

/** Takes a highest possible score into the heap of the k smallest, and lowers the limit with it. */
function hold(high: f64, record: usize): void {
  const heap = <usize>load<u32>(record, HEAP);
  const wanted = load<i32>(record, WANTED);
  const held = load<i32>(record, HELD);
  if (held < wanted) {
    let child = held;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = load<f64>(heap + (<usize>parent << 3));
      if (!(high > above)) break;
      store<f64>(heap + (<usize>child << 3), above);
      child = parent;
    }
    store<f64>(heap + (<usize>child << 3), high);
    store<i32>(record, held + 1, HELD);
    if (held + 1 < wanted) return;
  } else {
    if (!(high < load<f64>(heap))) return;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= wanted) break;
      if (child + 1 < wanted && load<f64>(heap + (<usize>(child + 1) << 3)) > load<f64>(heap + (<usize>child << 3)))
        child++;
      const below = load<f64>(heap + (<usize>child << 3));
      if (!(below > high)) break;
      store<f64>(heap + (<usize>parent << 3), below);
      parent = child;
    }
    store<f64>(heap + (<usize>parent << 3), high);
  }
  const top = load<f64>(heap);
  store<f32>(record, <f32>(top + abs(top) * 0.00000023841857910156250 + load<f64>(record, SLACK)), LIMIT);
}
