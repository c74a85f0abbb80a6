// Distance kernels of the reduction methods, in AssemblyScript (WebAssembly SIMD). Rows are packed in groups so that
// one vector holds the same component of neighbouring rows: [group][component][4] in float64, [group][component][8]
// in float32. Every float64 squared distance is the plain sum of squared differences in component order, exactly the
// arithmetic of squaredDistance in models/numerics/kernel.ts, so that both give the same bits.

const GROUP64: i32 = 4;
const GROUP32: i32 = 8;

/** Packs `count` rows of `source` (row-major float64); places after the last row repeat it. */
export function pack64(source: usize, count: i32, dim: i32, target: usize): void {
  const groups = (count + GROUP64 - 1) / GROUP64;
  for (let g = 0; g < groups; g++)
    for (let i = 0; i < GROUP64; i++) {
      const row = min(g * GROUP64 + i, count - 1);
      let from = source + <usize>row * <usize>dim * 8;
      let to = target + (<usize>g * <usize>dim * GROUP64 + i) * 8;
      for (let k = 0; k < dim; k++) {
        store<f64>(to, load<f64>(from));
        from += 8;
        to += GROUP64 * 8;
      }
    }
}

/**
 * Packs the same rows less `centre` in float32, and writes the squared norm of each packed row to `norms` (float32).
 * Returns the largest norm (not squared).
 */
export function pack32(source: usize, count: i32, dim: i32, centre: usize, target: usize, norms: usize): f64 {
  const groups = (count + GROUP32 - 1) / GROUP32;
  let largest: f64 = 0;
  for (let g = 0; g < groups; g++)
    for (let i = 0; i < GROUP32; i++) {
      const row = min(g * GROUP32 + i, count - 1);
      let from = source + <usize>row * <usize>dim * 8;
      let to = target + (<usize>g * <usize>dim * GROUP32 + i) * 4;
      let norm: f64 = 0;
      for (let k = 0; k < dim; k++) {
        const value = <f32>(load<f64>(from) - load<f64>(centre + (<usize>k << 3)));
        store<f32>(to, value);
        norm += <f64>value * <f64>value;
        from += 8;
        to += GROUP32 * 4;
      }
      store<f32>(norms + (<usize>(g * GROUP32 + i) << 2), <f32>norm);
      if (!(norm <= largest)) largest = norm;
    }
  return sqrt(largest);
}

/**
 * Squared distances of the rows of two panels, to `out[paddedA][paddedB]`; returns the largest. With `same` both are
 * one panel, and groups below the diagonal are left out.
 */
export function squares(a: usize, countA: i32, b: usize, countB: i32, dim: i32, out: usize, same: bool): f64 {
  const step = <usize>dim * GROUP64 * 8;
  const groupsA = (countA + GROUP64 - 1) / GROUP64;
  const groupsB = (countB + GROUP64 - 1) / GROUP64;
  const stride = <usize>groupsB * GROUP64 * 8;
  let most = f64x2.splat(0);
  for (let ga = 0; ga < groupsA; ga++) {
    const start = a + <usize>ga * step;
    const end = start + step;
    for (let gb = same ? ga : 0; gb < groupsB; gb++) {
      let pa = start;
      let pb = b + <usize>gb * step;
      let c00 = f64x2.splat(0), c01 = f64x2.splat(0), c10 = f64x2.splat(0), c11 = f64x2.splat(0);
      let c20 = f64x2.splat(0), c21 = f64x2.splat(0), c30 = f64x2.splat(0), c31 = f64x2.splat(0);
      while (pa < end) {
        const b0 = v128.load(pb);
        const b1 = v128.load(pb, 16);
        let x = v128.load64_splat(pa);
        let d = f64x2.sub(x, b0);
        c00 = f64x2.add(c00, f64x2.mul(d, d));
        d = f64x2.sub(x, b1);
        c01 = f64x2.add(c01, f64x2.mul(d, d));
        x = v128.load64_splat(pa, 8);
        d = f64x2.sub(x, b0);
        c10 = f64x2.add(c10, f64x2.mul(d, d));
        d = f64x2.sub(x, b1);
        c11 = f64x2.add(c11, f64x2.mul(d, d));
        x = v128.load64_splat(pa, 16);
        d = f64x2.sub(x, b0);
        c20 = f64x2.add(c20, f64x2.mul(d, d));
        d = f64x2.sub(x, b1);
        c21 = f64x2.add(c21, f64x2.mul(d, d));
        x = v128.load64_splat(pa, 24);
        d = f64x2.sub(x, b0);
        c30 = f64x2.add(c30, f64x2.mul(d, d));
        d = f64x2.sub(x, b1);
        c31 = f64x2.add(c31, f64x2.mul(d, d));
        pa += GROUP64 * 8;
        pb += GROUP64 * 8;
      }
      let to = out + <usize>ga * GROUP64 * stride + <usize>gb * GROUP64 * 8;
      v128.store(to, c00);
      v128.store(to, c01, 16);
      to += stride;
      v128.store(to, c10);
      v128.store(to, c11, 16);
      to += stride;
      v128.store(to, c20);
      v128.store(to, c21, 16);
      to += stride;
      v128.store(to, c30);
      v128.store(to, c31, 16);
      const m0 = f64x2.max(f64x2.max(c00, c01), f64x2.max(c10, c11));
      const m1 = f64x2.max(f64x2.max(c20, c21), f64x2.max(c30, c31));
      most = f64x2.max(most, f64x2.max(m0, m1));
    }
  }
  return max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
}

/** Largest |a|² + |b|² − 2ab of the rows of two float32 panels, in float32 arithmetic. */
export function reach32(
  a: usize,
  countA: i32,
  normsA: usize,
  b: usize,
  countB: i32,
  normsB: usize,
  dim: i32,
): f32 {
  const step = <usize>dim * GROUP32 * 4;
  const fours = (countA + 3) / 4;
  const groupsB = (countB + GROUP32 - 1) / GROUP32;
  const minusTwo = f32x4.splat(-2);
  let most = f32x4.splat(0);
  for (let four = 0; four < fours; four++) {
    const start = a + <usize>(four >> 1) * step + (<usize>(four & 1) << 4);
    const end = start + step;
    const na = normsA + (<usize>four << 4);
    for (let gb = 0; gb < groupsB; gb++) {
      let pa = start;
      let pb = b + <usize>gb * step;
      let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
      let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
      while (pa < end) {
        const b0 = v128.load(pb);
        const b1 = v128.load(pb, 16);
        let x = v128.load32_splat(pa);
        c00 = f32x4.add(c00, f32x4.mul(x, b0));
        c01 = f32x4.add(c01, f32x4.mul(x, b1));
        x = v128.load32_splat(pa, 4);
        c10 = f32x4.add(c10, f32x4.mul(x, b0));
        c11 = f32x4.add(c11, f32x4.mul(x, b1));
        x = v128.load32_splat(pa, 8);
        c20 = f32x4.add(c20, f32x4.mul(x, b0));
        c21 = f32x4.add(c21, f32x4.mul(x, b1));
        x = v128.load32_splat(pa, 12);
        c30 = f32x4.add(c30, f32x4.mul(x, b0));
        c31 = f32x4.add(c31, f32x4.mul(x, b1));
        pa += GROUP32 * 4;
        pb += GROUP32 * 4;
      }
      const n0 = v128.load(normsB + <usize>gb * GROUP32 * 4);
      const n1 = v128.load(normsB + <usize>gb * GROUP32 * 4, 16);
      let m = f32x4.add(v128.load32_splat(na), f32x4.max(f32x4.add(n0, f32x4.mul(minusTwo, c00)), f32x4.add(n1, f32x4.mul(minusTwo, c01))));
      most = f32x4.max(most, m);
      m = f32x4.add(v128.load32_splat(na, 4), f32x4.max(f32x4.add(n0, f32x4.mul(minusTwo, c10)), f32x4.add(n1, f32x4.mul(minusTwo, c11))));
      most = f32x4.max(most, m);
      m = f32x4.add(v128.load32_splat(na, 8), f32x4.max(f32x4.add(n0, f32x4.mul(minusTwo, c20)), f32x4.add(n1, f32x4.mul(minusTwo, c21))));
      most = f32x4.max(most, m);
      m = f32x4.add(v128.load32_splat(na, 12), f32x4.max(f32x4.add(n0, f32x4.mul(minusTwo, c30)), f32x4.add(n1, f32x4.mul(minusTwo, c31))));
      most = f32x4.max(most, m);
    }
  }
  const low = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  return max(low, max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
}

/** Largest value of each column of `squares[countA][…]` (`stride` values a row), to `target[countB]`. */
export function columnMaxima(squares: usize, countA: i32, countB: i32, stride: i32, target: usize): void {
  for (let j = 0; j < countB; j++) {
    let most: f64 = 0;
    let from = squares + (<usize>j << 3);
    for (let i = 0; i < countA; i++) {
      most = max(most, load<f64>(from));
      from += <usize>stride << 3;
    }
    store<f64>(target + (<usize>j << 3), most);
  }
}

const LOW_BITS: f64 = 1048576;

/**
 * Sums the distances behind `squares[countA][stride]`, all of them and those of rows with equal `ids`, as whole
 * numbers of 1 / scale split into high and low halves of 20 bits: sums of such halves are exact, so that they do not
 * depend on the order. Added to `sums` = [all high, all low, equal high, equal low]. With `same` only pairs above the
 * diagonal count.
 */
export function addDistances(
  squares: usize,
  countA: i32,
  countB: i32,
  stride: i32,
  idsA: usize,
  idsB: usize,
  scale: f64,
  same: bool,
  sums: usize,
): void {
  let allHigh = load<f64>(sums);
  let allLow = load<f64>(sums, 8);
  let equalHigh = load<f64>(sums, 16);
  let equalLow = load<f64>(sums, 24);
  const scales = f64x2.splat(scale);
  const down = f64x2.splat(1 / LOW_BITS);
  const up = f64x2.splat(LOW_BITS);
  let ah = f64x2.splat(0), al = f64x2.splat(0), eh = f64x2.splat(0), el = f64x2.splat(0);
  for (let i = 0; i < countA; i++) {
    const row = squares + (<usize>i * <usize>stride << 3);
    const id = load<i32>(idsA + (<usize>i << 2));
    const idPair = i64x2.splat(<i64>id);
    let j = same ? i + 1 : 0;
    for (; j + 2 <= countB; j += 2) {
      const d = f64x2.nearest(f64x2.mul(f64x2.sqrt(v128.load(row + (<usize>j << 3))), scales));
      const high = f64x2.floor(f64x2.mul(d, down));
      const low = f64x2.sub(d, f64x2.mul(high, up));
      const others = i64x2.extend_low_i32x4_s(v128.load64_zero(idsB + (<usize>j << 2)));
      const equal = i64x2.eq(others, idPair);
      ah = f64x2.add(ah, high);
      al = f64x2.add(al, low);
      eh = f64x2.add(eh, v128.and(high, equal));
      el = f64x2.add(el, v128.and(low, equal));
    }
    for (; j < countB; j++) {
      const d = nearest<f64>(sqrt(load<f64>(row + (<usize>j << 3))) * scale);
      const high = floor(d * (1 / LOW_BITS));
      const low = d - high * LOW_BITS;
      allHigh += high;
      allLow += low;
      if (load<i32>(idsB + (<usize>j << 2)) === id) {
        equalHigh += high;
        equalLow += low;
      }
    }
  }
  store<f64>(sums, allHigh + f64x2.extract_lane(ah, 0) + f64x2.extract_lane(ah, 1));
  store<f64>(sums, allLow + f64x2.extract_lane(al, 0) + f64x2.extract_lane(al, 1), 8);
  store<f64>(sums, equalHigh + f64x2.extract_lane(eh, 0) + f64x2.extract_lane(eh, 1), 16);
  store<f64>(sums, equalLow + f64x2.extract_lane(el, 0) + f64x2.extract_lane(el, 1), 24);
}

/** Longest run summed in one go in NumPy's pairwise order. */
const BLOCK: i32 = 128;

/** Squared distance of two row-major float64 rows, summed in NumPy's pairwise order. */
function pairwise(a: usize, b: usize, n: i32): f64 {
  if (n > BLOCK) {
    const half = (n >> 1) - ((n >> 1) % 8);
    return pairwise(a, b, half) + pairwise(a + (<usize>half << 3), b + (<usize>half << 3), n - half);
  }
  let s01 = f64x2.splat(0), s23 = f64x2.splat(0), s45 = f64x2.splat(0), s67 = f64x2.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    let d = f64x2.sub(v128.load(a), v128.load(b));
    s01 = f64x2.add(s01, f64x2.mul(d, d));
    d = f64x2.sub(v128.load(a, 16), v128.load(b, 16));
    s23 = f64x2.add(s23, f64x2.mul(d, d));
    d = f64x2.sub(v128.load(a, 32), v128.load(b, 32));
    s45 = f64x2.add(s45, f64x2.mul(d, d));
    d = f64x2.sub(v128.load(a, 48), v128.load(b, 48));
    s67 = f64x2.add(s67, f64x2.mul(d, d));
    a += 64;
    b += 64;
  }
  const low = f64x2.extract_lane(s01, 0) + f64x2.extract_lane(s01, 1) + (f64x2.extract_lane(s23, 0) + f64x2.extract_lane(s23, 1));
  const high = f64x2.extract_lane(s45, 0) + f64x2.extract_lane(s45, 1) + (f64x2.extract_lane(s67, 0) + f64x2.extract_lane(s67, 1));
  let sum = low + high;
  for (; i < n; i++) {
    const d = load<f64>(a) - load<f64>(b);
    sum += d * d;
    a += 8;
    b += 8;
  }
  return sum;
}

/**
 * For `rows` row-major rows the nearest of `k` row-major centres, the first on ties: its number to `labels` (int32)
 * and its squared distance to `nearest` (float64).
 */
export function assign(points: usize, rows: i32, centres: usize, k: i32, dim: i32, labels: usize, distances: usize): void {
  const step = <usize>dim << 3;
  for (let i = 0; i < rows; i++) {
    const point = points + <usize>i * step;
    let best = Infinity;
    let label = 0;
    let centre = centres;
    for (let c = 0; c < k; c++) {
      const d = pairwise(point, centre, dim);
      if (d < best) {
        best = d;
        label = c;
      }
      centre += step;
    }
    store<i32>(labels + (<usize>i << 2), label);
    store<f64>(distances + (<usize>i << 3), best);
  }
}
