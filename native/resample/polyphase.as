// The inner loop of the resampler, in AssemblyScript (WebAssembly SIMD). Samples and coefficients are float64, and every
// sum has the order of `dot` in tests/native/resample-kernel.test.ts, so that both give the same bits. Two sums run side by
// side, since one alone waits for its own additions.

/** Lanes a, b and c, d of four running sums, as the twin adds them: a + b + (c + d). */
// @ts-ignore: decorator
@inline
function total(ab: v128, cd: v128): f64 {
  const low = f64x2.extract_lane(ab, 0) + f64x2.extract_lane(ab, 1);
  const high = f64x2.extract_lane(cd, 0) + f64x2.extract_lane(cd, 1);
  return low + high;
}

/**
 * `count` outputs by a bank with a row for every phase. `x` is the address of the first sample of the first output's
 * window, `phase` that output's phase; from one output to the next the window moves on by `step` samples, one more when
 * the phase, growing by `stepPhase`, reaches `up`. `taps` is a multiple of 4.
 */
export function exact(
  x: usize,
  bank: usize,
  out: usize,
  count: i32,
  taps: i32,
  up: i32,
  step: i32,
  stepPhase: i32,
  phase: i32,
): void {
  const bytes = <usize>taps << 3;
  for (let i = 0; i < count; i += 2) {
    const h0 = bank + <usize>phase * bytes;
    const x0 = x;
    x += <usize>step << 3;
    phase += stepPhase;
    if (phase >= up) {
      phase -= up;
      x += 8;
    }
    // After the last output the second sum is computed twice over rather than beyond the end.
    const two = i + 1 < count;
    const h1 = two ? bank + <usize>phase * bytes : h0;
    const x1 = two ? x : x0;
    x += <usize>step << 3;
    phase += stepPhase;
    if (phase >= up) {
      phase -= up;
      x += 8;
    }
    let ab0 = f64x2.splat(0);
    let cd0 = f64x2.splat(0);
    let ab1 = f64x2.splat(0);
    let cd1 = f64x2.splat(0);
    for (let k: usize = 0; k < bytes; k += 32) {
      ab0 = f64x2.add(ab0, f64x2.mul(v128.load(x0 + k), v128.load(h0 + k)));
      cd0 = f64x2.add(cd0, f64x2.mul(v128.load(x0 + k, 16), v128.load(h0 + k, 16)));
      ab1 = f64x2.add(ab1, f64x2.mul(v128.load(x1 + k), v128.load(h1 + k)));
      cd1 = f64x2.add(cd1, f64x2.mul(v128.load(x1 + k, 16), v128.load(h1 + k, 16)));
    }
    store<f32>(out, <f32>total(ab0, cd0));
    if (two) store<f32>(out, <f32>total(ab1, cd1), 4);
    out += 8;
  }
}

/** The same by a bank of `rows` + 1 phases, between whose rows it interpolates. */
export function interpolated(
  x: usize,
  bank: usize,
  out: usize,
  count: i32,
  taps: i32,
  up: i32,
  step: i32,
  stepPhase: i32,
  phase: i32,
  rows: i32,
): void {
  const bytes = <usize>taps << 3;
  for (let i = 0; i < count; i++) {
    const position = (<f64>phase / <f64>up) * <f64>rows;
    const row = Math.floor(position);
    const h0 = bank + <usize>row * bytes;
    const h1 = h0 + bytes;
    let ab0 = f64x2.splat(0);
    let cd0 = f64x2.splat(0);
    let ab1 = f64x2.splat(0);
    let cd1 = f64x2.splat(0);
    for (let k: usize = 0; k < bytes; k += 32) {
      const ab = v128.load(x + k);
      const cd = v128.load(x + k, 16);
      ab0 = f64x2.add(ab0, f64x2.mul(ab, v128.load(h0 + k)));
      cd0 = f64x2.add(cd0, f64x2.mul(cd, v128.load(h0 + k, 16)));
      ab1 = f64x2.add(ab1, f64x2.mul(ab, v128.load(h1 + k)));
      cd1 = f64x2.add(cd1, f64x2.mul(cd, v128.load(h1 + k, 16)));
    }
    const low = total(ab0, cd0);
    const high = total(ab1, cd1);
    store<f32>(out, <f32>(low + (position - row) * (high - low)));
    out += 4;
    x += <usize>step << 3;
    phase += stepPhase;
    if (phase >= up) {
      phase -= up;
      x += 8;
    }
  }
}
