import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openPolyphaseKernel, reservedBytes } from '../../native/resample/index.ts';

/** The same sums in the same order in TypeScript. */
function dot(x: Float64Array, xo: number, h: Float64Array, ho: number, taps: number): number {
  const sums = [0, 0, 0, 0];
  for (let k = 0; k < taps; k++) sums[k % 4] = (sums[k % 4] ?? 0) + (x[xo + k] ?? 0) * (h[ho + k] ?? 0);
  const [a = 0, b = 0, c = 0, d = 0] = sums;
  return a + b + (c + d);
}

const number = fc.float({ min: -1, max: 1, noNaN: true });
const rates = fc.record({
  up: fc.integer({ min: 1, max: 7 }),
  down: fc.integer({ min: 1, max: 20 }),
  quads: fc.integer({ min: 1, max: 5 }),
  count: fc.integer({ min: 0, max: 9 }),
  seed: fc.array(number, { minLength: 8, maxLength: 40 }),
});

it.each(['exact', 'interpolated'] as const)('%s gives the bits of the plain sums', (kind) => {
  fc.assert(
    fc.property(rates, fc.nat(6), ({ up, down, quads, count, seed }, first) => {
      const [taps, rows, phase] = [4 * quads, 5, first % up];
      const value = (i: number): number => seed[i % seed.length] ?? 0;
      const memory = new WebAssembly.Memory({ initial: 1 });
      const kernel = openPolyphaseKernel(memory);
      const bank = new Float64Array(memory.buffer, reservedBytes, 8 * taps).map((_, i) => value(3 * i + 1));
      new Float64Array(memory.buffer, reservedBytes, bank.length).set(bank);
      const at = reservedBytes + bank.byteLength;
      const x = new Float64Array(memory.buffer, at, taps + 20 * 10).map((_, i) => value(i));
      new Float64Array(memory.buffer, at, x.length).set(x);
      const target = at + x.byteLength;
      // What lies behind the outputs stays as it is.
      const behind = new Float32Array(memory.buffer, target, count + 2).fill(7);
      const step = Math.floor(down / up);
      const shape = [reservedBytes, target, count, taps, up, step, down - step * up, phase] as const;
      if (kind === 'exact') kernel.exact(at, ...shape);
      else kernel.interpolated(at, ...shape, rows);
      const expected = Array.from({ length: count }, (_, n) => {
        const place = phase + n * down;
        const [from, part] = [Math.floor(place / up), place % up];
        if (kind === 'exact') return Math.fround(dot(x, from, bank, part * taps, taps));
        const row = Math.floor((part / up) * rows);
        const low = dot(x, from, bank, row * taps, taps);
        return Math.fround(
          low + ((part / up) * rows - row) * (dot(x, from, bank, (row + 1) * taps, taps) - low),
        );
      });
      expect([...behind]).toEqual([...expected, 7, 7]);
    }),
  );
});
