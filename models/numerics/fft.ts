/**
 * In-place discrete Fourier transform of complex values (radix 2, decimation in time).
 * @param real · @param imaginary as many values, a power of two
 * @param inverse without the division by the count
 */
export function transform(real: Float64Array, imaginary: Float64Array, inverse = false): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      swap(real, i, j);
      swap(imaginary, i, j);
    }
  }
  const sign = inverse ? 1 : -1;
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const angle = (sign * 2 * Math.PI * k) / size;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let top = k; top < n; top += size) {
        const low = top + half;
        const [lr, li] = [real[low] ?? 0, imaginary[low] ?? 0];
        const [tr, ti] = [lr * c - li * s, lr * s + li * c];
        const [ur, ui] = [real[top] ?? 0, imaginary[top] ?? 0];
        real[top] = ur + tr;
        imaginary[top] = ui + ti;
        real[low] = ur - tr;
        imaginary[low] = ui - ti;
      }
    }
  }
}

function swap(values: Float64Array, i: number, j: number): void {
  const kept = values[i] ?? 0;
  values[i] = values[j] ?? 0;
  values[j] = kept;
}

/** The first `signal.length` samples of the convolution of a signal with an impulse response. */
export function convolve(signal: Float32Array, response: Float32Array): Float32Array {
  const size = 2 ** Math.ceil(Math.log2(signal.length + response.length));
  const [ar, ai, br, bi] = [0, 0, 0, 0].map(() => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  ar.set(signal);
  br.set(response);
  transform(ar, ai);
  transform(br, bi);
  for (let k = 0; k < size; k++) {
    const [x, y, u, v] = [ar[k] ?? 0, ai[k] ?? 0, br[k] ?? 0, bi[k] ?? 0];
    ar[k] = x * u - y * v;
    ai[k] = x * v + y * u;
  }
  transform(ar, ai, true);
  return Float32Array.from({ length: signal.length }, (_, i) => (ar[i] ?? 0) / size);
}
