// Short-time Fourier transforms for phase retrieval and band features, four frames at a time: lane l of every vector belongs to frame
// 4·batch + l, so that no step of a transform moves numbers between lanes. A frame of `size` real samples is taken as
// size/2 complex ones, transformed by a Stockham FFT (radix 4, one radix-2 pass where size/2 is no power of four), which
// needs no bit reversal, and its halves are put apart afterwards.
//
// Memory is laid out by the caller; addresses are byte offsets. A spectrum is [bins] pairs of vectors (real, imaginary),
// bins = size/2 + 1. Complex scratch buffers are [size/2] pairs of vectors.

/** Twiddles e^(−2πi k/size), k = 0 … size/2, as pairs of float32. */
let twiddles: usize = 0;
/** Two complex scratch buffers. */
let scratchA: usize = 0;
let scratchB: usize = 0;
let half: i32 = 0;

export function configure(size: i32, twiddleTable: usize, first: usize, second: usize): void {
  half = size >> 1;
  twiddles = twiddleTable;
  scratchA = first;
  scratchB = second;
}

/** Forward transform of `half` complex numbers in scratchA. Returns the buffer that holds the result. */
function transform(): usize {
  let source = scratchA;
  let target = scratchB;
  let n = half;
  let s = 1;
  while (n >= 4) {
    const m = n >> 2;
    // e^(−2πi p/n) is every (2·half/n)-th entry of the table for 2·half points.
    const step = (2 * half) / n;
    const apart = <usize>(s * m) << 5;
    for (let p = 0; p < m; p++) {
      const t1 = twiddles + (<usize>(p * step) << 3);
      const w1r = v128.load32_splat(t1);
      const w1i = v128.load32_splat(t1, 4);
      const w2r = f32x4.sub(f32x4.mul(w1r, w1r), f32x4.mul(w1i, w1i));
      const w2i = f32x4.mul(f32x4.add(w1r, w1r), w1i);
      const w3r = f32x4.sub(f32x4.mul(w1r, w2r), f32x4.mul(w1i, w2i));
      const w3i = f32x4.add(f32x4.mul(w1r, w2i), f32x4.mul(w1i, w2r));
      let x = source + (<usize>(s * p) << 5);
      let y = target + (<usize>(4 * s * p) << 5);
      const stride = <usize>s << 5;
      for (let q = 0; q < s; q++) {
        const ar = v128.load(x);
        const ai = v128.load(x, 16);
        const br = v128.load(x + apart);
        const bi = v128.load(x + apart, 16);
        const cr = v128.load(x + 2 * apart);
        const ci = v128.load(x + 2 * apart, 16);
        const dr = v128.load(x + 3 * apart);
        const di = v128.load(x + 3 * apart, 16);
        const acr = f32x4.add(ar, cr);
        const aci = f32x4.add(ai, ci);
        const amr = f32x4.sub(ar, cr);
        const ami = f32x4.sub(ai, ci);
        const bdr = f32x4.add(br, dr);
        const bdi = f32x4.add(bi, di);
        const bmr = f32x4.sub(br, dr);
        const bmi = f32x4.sub(bi, di);
        v128.store(y, f32x4.add(acr, bdr));
        v128.store(y, f32x4.add(aci, bdi), 16);
        // (a − c) − i (b − d)
        const ur = f32x4.add(amr, bmi);
        const ui = f32x4.sub(ami, bmr);
        v128.store(y + stride, f32x4.sub(f32x4.mul(ur, w1r), f32x4.mul(ui, w1i)));
        v128.store(y + stride, f32x4.add(f32x4.mul(ur, w1i), f32x4.mul(ui, w1r)), 16);
        const vr = f32x4.sub(acr, bdr);
        const vi = f32x4.sub(aci, bdi);
        v128.store(y + 2 * stride, f32x4.sub(f32x4.mul(vr, w2r), f32x4.mul(vi, w2i)));
        v128.store(y + 2 * stride, f32x4.add(f32x4.mul(vr, w2i), f32x4.mul(vi, w2r)), 16);
        // (a − c) + i (b − d)
        const zr = f32x4.sub(amr, bmi);
        const zi = f32x4.add(ami, bmr);
        v128.store(y + 3 * stride, f32x4.sub(f32x4.mul(zr, w3r), f32x4.mul(zi, w3i)));
        v128.store(y + 3 * stride, f32x4.add(f32x4.mul(zr, w3i), f32x4.mul(zi, w3r)), 16);
        x += 32;
        y += 32;
      }
    }
    n = m;
    s <<= 2;
    const swap = source;
    source = target;
    target = swap;
  }
  if (n == 2) {
    const apart = <usize>s << 5;
    for (let q = 0; q < s; q++) {
      const x = source + (<usize>q << 5);
      const y = target + (<usize>q << 5);
      const ar = v128.load(x);
      const ai = v128.load(x, 16);
      const br = v128.load(x + apart);
      const bi = v128.load(x + apart, 16);
      v128.store(y, f32x4.add(ar, br));
      v128.store(y, f32x4.add(ai, bi), 16);
      v128.store(y + apart, f32x4.sub(ar, br));
      v128.store(y + apart, f32x4.sub(ai, bi), 16);
    }
    return target;
  }
  return source;
}

/**
 * Adds the frames that `spectra` stand for, once they have the magnitudes wanted, to `wave`.
 * @param magnitudes [bins] vectors · @param window [size] float32 with 1/(size/2) in it · @param hop samples between frames
 */
function synthesise(spectra: usize, magnitudes: usize, window: usize, wave: usize, hop: i32): void {
  const tiny = f32x4.splat(1e-9);
  const one = f32x4.splat(0.5);
  const zero = f32x4.splat(0);
  const last = half;
  // Z[k] = E[k] + i O[k], with real and imaginary parts exchanged so that the forward transform is the inverse one.
  for (let k = 0; 2 * k <= last; k++) {
    const x = spectra + (<usize>k << 5);
    const y = spectra + (<usize>(last - k) << 5);
    let xr = v128.load(x);
    let xi = v128.load(x, 16);
    let yr = v128.load(y);
    let yi = v128.load(y, 16);
    const xs = f32x4.div(
      v128.load(magnitudes + (<usize>k << 4)),
      f32x4.add(f32x4.sqrt(f32x4.add(f32x4.mul(xr, xr), f32x4.mul(xi, xi))), tiny),
    );
    const ys = f32x4.div(
      v128.load(magnitudes + (<usize>(last - k) << 4)),
      f32x4.add(f32x4.sqrt(f32x4.add(f32x4.mul(yr, yr), f32x4.mul(yi, yi))), tiny),
    );
    xr = f32x4.mul(xr, xs);
    xi = f32x4.mul(xi, xs);
    yr = f32x4.mul(yr, ys);
    yi = f32x4.mul(yi, ys);
    if (k == 0) {
      // A real frame has no imaginary part at either end of its spectrum.
      xi = zero;
      yi = zero;
    }
    const er = f32x4.mul(one, f32x4.add(xr, yr));
    const ei = f32x4.mul(one, f32x4.sub(xi, yi));
    const dr = f32x4.mul(one, f32x4.sub(xr, yr));
    const di = f32x4.mul(one, f32x4.add(xi, yi));
    // O[k] = D[k] e^(+2πi k/size)
    const t = twiddles + (<usize>k << 3);
    const wr = v128.load32_splat(t);
    const wi = v128.load32_splat(t, 4);
    const or = f32x4.add(f32x4.mul(dr, wr), f32x4.mul(di, wi));
    const oi = f32x4.sub(f32x4.mul(di, wr), f32x4.mul(dr, wi));
    const a = scratchA + (<usize>k << 5);
    v128.store(a, f32x4.add(ei, or));
    v128.store(a, f32x4.sub(er, oi), 16);
    // Z[half − k] = conj(E[k]) + i conj(O[k])
    if (k > 0 && 2 * k < last) {
      const b = scratchA + (<usize>(last - k) << 5);
      v128.store(b, f32x4.sub(or, ei));
      v128.store(b, f32x4.add(er, oi), 16);
    }
  }
  const z = transform();
  const apart = <usize>hop << 2;
  for (let n = 0; n < half; n += 2) {
    const at = z + (<usize>n << 5);
    // Samples 2n … 2n + 3 of four frames; parts are exchanged.
    const s0 = v128.load(at, 16);
    const s1 = v128.load(at);
    const s2 = v128.load(at, 48);
    const s3 = v128.load(at, 32);
    const lo01 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
    const hi01 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
    const lo23 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
    const hi23 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
    const w = v128.load(window + (<usize>n << 3));
    const out = wave + (<usize>n << 3);
    add(out, f32x4.mul(w, v128.shuffle<f32>(lo01, lo23, 0, 1, 4, 5)));
    add(out + apart, f32x4.mul(w, v128.shuffle<f32>(lo01, lo23, 2, 3, 6, 7)));
    add(out + 2 * apart, f32x4.mul(w, v128.shuffle<f32>(hi01, hi23, 0, 1, 4, 5)));
    add(out + 3 * apart, f32x4.mul(w, v128.shuffle<f32>(hi01, hi23, 2, 3, 6, 7)));
  }
}

// @ts-ignore: decorator
@inline
function add(address: usize, value: v128): void {
  v128.store(address, f32x4.add(v128.load(address), value));
}

/** Lays four windowed frames of `wave`, `apart` bytes from each other, into scratchA. */
function framesOf(wave: usize, window: usize, apart: usize): void {
  for (let n = 0; n < half; n += 2) {
    const from = wave + (<usize>n << 3);
    const w = v128.load(window + (<usize>n << 3));
    const f0 = f32x4.mul(w, v128.load(from));
    const f1 = f32x4.mul(w, v128.load(from + apart));
    const f2 = f32x4.mul(w, v128.load(from + 2 * apart));
    const f3 = f32x4.mul(w, v128.load(from + 3 * apart));
    const lo01 = v128.shuffle<f32>(f0, f1, 0, 4, 1, 5);
    const hi01 = v128.shuffle<f32>(f0, f1, 2, 6, 3, 7);
    const lo23 = v128.shuffle<f32>(f2, f3, 0, 4, 1, 5);
    const hi23 = v128.shuffle<f32>(f2, f3, 2, 6, 3, 7);
    const at = scratchA + (<usize>n << 5);
    v128.store(at, v128.shuffle<f32>(lo01, lo23, 0, 1, 4, 5));
    v128.store(at, v128.shuffle<f32>(lo01, lo23, 2, 3, 6, 7), 16);
    v128.store(at, v128.shuffle<f32>(hi01, hi23, 0, 1, 4, 5), 32);
    v128.store(at, v128.shuffle<f32>(hi01, hi23, 2, 3, 6, 7), 48);
  }
}

/**
 * Spectra of four frames of `wave`, extrapolated: spectra = new + momentum · (new − old), old = new.
 * @param window [size] float32
 */
function analyse(
  wave: usize,
  window: usize,
  hop: i32,
  momentum: f32,
  spectra: usize,
  old: usize,
): void {
  framesOf(wave, window, <usize>hop << 2);
  const z = transform();
  const one = f32x4.splat(0.5);
  const gain = f32x4.splat(momentum);
  for (let k = 0; 2 * k <= half; k++) {
    const a = z + (<usize>k << 5);
    const b = z + (<usize>((half - k) & (half - 1)) << 5);
    const ar = v128.load(a);
    const ai = v128.load(a, 16);
    const br = v128.load(b);
    const bi = v128.load(b, 16);
    const er = f32x4.mul(one, f32x4.add(ar, br));
    const ei = f32x4.mul(one, f32x4.sub(ai, bi));
    // −i/2 (Z[k] − conj Z[half − k])
    const dr = f32x4.mul(one, f32x4.add(ai, bi));
    const di = f32x4.mul(one, f32x4.sub(br, ar));
    const t = twiddles + (<usize>k << 3);
    const wr = v128.load32_splat(t);
    const wi = v128.load32_splat(t, 4);
    const or = f32x4.sub(f32x4.mul(dr, wr), f32x4.mul(di, wi));
    const oi = f32x4.add(f32x4.mul(dr, wi), f32x4.mul(di, wr));
    keep(spectra, old, k, f32x4.add(er, or), f32x4.add(ei, oi), gain);
    // X[half − k] = conj(E[k] − O[k])
    if (2 * k < half) keep(spectra, old, half - k, f32x4.sub(er, or), f32x4.sub(oi, ei), gain);
  }
}

// @ts-ignore: decorator
@inline
function keep(spectra: usize, old: usize, k: i32, real: v128, imaginary: v128, gain: v128): void {
  const s = spectra + (<usize>k << 5);
  const o = old + (<usize>k << 5);
  v128.store(s, f32x4.add(real, f32x4.mul(gain, f32x4.sub(real, v128.load(o)))));
  v128.store(s, f32x4.add(imaginary, f32x4.mul(gain, f32x4.sub(imaginary, v128.load(o, 16)))), 16);
  v128.store(o, real);
  v128.store(o, imaginary, 16);
}

/**
 * The waveform closest to the magnitudes with the phases of the spectra: overlap-added, divided by the windows' weight,
 * zero outside `first … first + count`.
 * @param batches groups of four frames · @param weight [length] float32, one over the windows' weight
 * @param length float32s of `wave`, a multiple of 4
 */
export function consistent(
  spectra: usize,
  magnitudes: usize,
  batches: i32,
  window: usize,
  wave: usize,
  weight: usize,
  length: i32,
  hop: i32,
): void {
  memory.fill(wave, 0, <usize>length << 2);
  const bins = half + 1;
  for (let batch = 0; batch < batches; batch++) {
    synthesise(
      spectra + (<usize>(batch * bins) << 5),
      magnitudes + (<usize>(batch * bins) << 4),
      window,
      wave + (<usize>(4 * batch * hop) << 2),
      hop,
    );
  }
  for (let i: usize = 0; i < <usize>length << 2; i += 16)
    v128.store(wave + i, f32x4.mul(v128.load(wave + i), v128.load(weight + i)));
}

/** Spectra of all frames of `wave`, extrapolated by `momentum` from those before. */
export function spectraOf(
  wave: usize,
  batches: i32,
  window: usize,
  hop: i32,
  momentum: f32,
  spectra: usize,
  old: usize,
): void {
  const bins = half + 1;
  for (let batch = 0; batch < batches; batch++) {
    const at = <usize>(batch * bins) << 5;
    analyse(wave + (<usize>(4 * batch * hop) << 2), window, hop, momentum, spectra + at, old + at);
  }
}

/** Natural logarithm of positive normal numbers, as in Cephes' logf: within two units in the last place. */
function log(x: v128): v128 {
  const bits = x;
  // x = m · 2^e with m in [√½, √2)
  let e = i32x4.sub(i32x4.shr_u(bits, 23), i32x4.splat(126));
  let m = v128.or(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const small = f32x4.lt(m, f32x4.splat(0.70710678118654752));
  e = i32x4.add(e, small);
  m = f32x4.sub(f32x4.add(m, v128.and(m, small)), f32x4.splat(1));
  const z = f32x4.mul(m, m);
  let y = f32x4.splat(7.0376836292e-2);
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(-1.151461031e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(1.1676998740e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(-1.2420140846e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(1.4249322787e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(-1.6668057665e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(2.0000714765e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(-2.4999993993e-1));
  y = f32x4.add(f32x4.mul(y, m), f32x4.splat(3.3333331174e-1));
  y = f32x4.mul(f32x4.mul(y, m), z);
  const exponent = f32x4.convert_i32x4_s(e);
  y = f32x4.add(y, f32x4.mul(exponent, f32x4.splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(f32x4.splat(0.5), z));
  return f32x4.add(f32x4.add(m, y), f32x4.mul(exponent, f32x4.splat(0.693359375)));
}

/**
 * Logarithms of band magnitudes of all frames of `wave`: (log(floor + Σ weight · |X[k]|) − mean) / deviation, with
 * |X| = √(re² + im² + tiny).
 * @param window [size] float32 · @param magnitudes scratch of [bins] vectors
 * @param spans [count] pairs of int32: first bin and number of bins · @param weights float32, one span after the other
 * @param means [count] float32 · @param deviations [count] float32 · @param out [4 · batches, count] float32
 */
export function bands(
  wave: usize,
  batches: i32,
  window: usize,
  hop: i32,
  magnitudes: usize,
  tiny: f32,
  count: i32,
  spans: usize,
  weights: usize,
  floor: f32,
  means: usize,
  deviations: usize,
  out: usize,
): void {
  const apart = <usize>hop << 2;
  const row = <usize>count << 2;
  const least = f32x4.splat(floor);
  for (let batch = 0; batch < batches; batch++) {
    framesOf(wave + (<usize>(4 * batch * hop) << 2), window, apart);
    magnitudesOf(transform(), magnitudes, f32x4.splat(tiny));
    let weight = weights;
    const to = out + <usize>(4 * batch) * row;
    for (let band = 0; band < count; band++) {
      const span = spans + (<usize>band << 3);
      let from = magnitudes + (<usize>load<i32>(span) << 4);
      const end = weight + (<usize>load<i32>(span, 4) << 2);
      let sum = f32x4.splat(0);
      while (weight < end) {
        sum = f32x4.add(sum, f32x4.mul(v128.load(from), v128.load32_splat(weight)));
        from += 16;
        weight += 4;
      }
      const at: usize = <usize>band << 2;
      const value = f32x4.div(
        f32x4.sub(log(f32x4.add(sum, least)), v128.load32_splat(means + at)),
        v128.load32_splat(deviations + at),
      );
      v128.store32_lane(to + at, value, 0);
      v128.store32_lane(to + at + row, value, 1);
      v128.store32_lane(to + at + 2 * row, value, 2);
      v128.store32_lane(to + at + 3 * row, value, 3);
    }
  }
}

/** Magnitudes of four frames whose transform of half the size is `z`: [bins] vectors. */
function magnitudesOf(z: usize, magnitudes: usize, tiny: v128): void {
  const one = f32x4.splat(0.5);
  for (let k = 0; 2 * k <= half; k++) {
    const a = z + (<usize>k << 5);
    const b = z + (<usize>((half - k) & (half - 1)) << 5);
    const ar = v128.load(a);
    const ai = v128.load(a, 16);
    const br = v128.load(b);
    const bi = v128.load(b, 16);
    const er = f32x4.mul(one, f32x4.add(ar, br));
    const ei = f32x4.mul(one, f32x4.sub(ai, bi));
    const dr = f32x4.mul(one, f32x4.add(ai, bi));
    const di = f32x4.mul(one, f32x4.sub(br, ar));
    const t = twiddles + (<usize>k << 3);
    const wr = v128.load32_splat(t);
    const wi = v128.load32_splat(t, 4);
    const or = f32x4.sub(f32x4.mul(dr, wr), f32x4.mul(di, wi));
    const oi = f32x4.add(f32x4.mul(dr, wi), f32x4.mul(di, wr));
    v128.store(magnitudes + (<usize>k << 4), length(f32x4.add(er, or), f32x4.add(ei, oi), tiny));
    v128.store(magnitudes + (<usize>(half - k) << 4), length(f32x4.sub(er, or), f32x4.sub(oi, ei), tiny));
  }
}

// @ts-ignore: decorator
@inline
function length(real: v128, imaginary: v128, tiny: v128): v128 {
  const power = f32x4.add(f32x4.mul(real, real), f32x4.mul(imaginary, imaginary));
  return f32x4.sqrt(f32x4.add(power, tiny));
}
