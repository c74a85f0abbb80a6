import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import type { Pacer } from '../numerics/pacer.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import { paddedCount } from './codes.ts';
import type { Sieve, SievedQuery, Wanted } from './sieve.ts';

/**
 * Rows per matrix product, a multiple of 16: their codes and the products of a large batch stay in a core's own cache.
 * Not a power of two: a component of all rows lies that many bytes behind the one before, and at such distances they
 * would push each other out of the cache (twice the time for laying them out).
 */
const blockRows = 1056;
/**
 * How finely queries are rounded: coarse codes take one product, fine ones, 128 times as many, two (a coarse and a fine
 * part), at twice the price.
 */
export type Fineness = 'coarse' | 'fine';
/**
 * Largest coarse codes, tried in turn. A code is an unsigned byte around it times a row's ±127. Processors without 8-bit
 * dot products add pairs of such products in 16 bits, saturating: 2 · 128 · 127 = 32,512 still fits, 2 · 254 · 127 does not.
 */
const largestCodes = [127, 64] as const;
/** A fine code is this many times its coarse part, plus a rest of at most half of it. */
const coarseStep = 128;

/** `products = (query − zero) · block`: inputs `query [m, d]` uint8, `block [d, n]` int8, `zero []` uint8. */
function productGraph(): Uint8Array {
  const g = new GraphBuilder('products-of-codes');
  const query = g.input('query', 'uint8', ['m', 'd']);
  const block = g.input('block', 'int8', ['d', 'n']);
  const zero = g.input('zero', 'uint8', []);
  g.output('products', g.op('MatMulInteger', [query, block, zero], {}, 'int32'), ['m', 'n']);
  return g.build();
}

/** Products of many queries' codes with all rows at once, by ONNX Runtime's 8-bit matrix product. */
export class CodeProduct {
  /** Largest code of a query: what this processor multiplies without saturating. */
  readonly largest: Record<Fineness, number>;
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession, coarse: number) {
    this.#session = session;
    this.largest = { coarse, fine: coarse * coarseStep };
  }

  /** @param coarsest the largest coarse code that is tried */
  static async open(coarsest = 127): Promise<CodeProduct> {
    const session = await InferenceSession.create(productGraph(), {
      executionProviders: ['cpu'],
      logSeverityLevel: 3,
      // Between two products this process sifts: threads that wait busily would take its processor.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    for (const code of largestCodes)
      if (code <= coarsest && (await multipliesExactly(session, code))) return new CodeProduct(session, code);
    await session.release();
    throw new Error('ONNX Runtime does not multiply bytes exactly on this processor');
  }

  /** Opens a search in `sieve` for queries read with codes up to {@link largest}, and sifts all rows for them. */
  async sift(
    sieve: Sieve,
    queries: readonly SievedQuery[],
    wanted: Wanted,
    fineness: Fineness,
    pacer: Pacer,
  ): Promise<void> {
    const m = queries.length;
    const codes = new Int16Array(m * sieve.width);
    queries.forEach(({ code }, q) => code && codes.set(code.codes, q * sieve.width));
    const zeroPoint = this.largest.coarse;
    const bytes = fineness === 'coarse' ? onePart(codes, zeroPoint) : twoParts(codes, zeroPoint);
    const parts = bytes.length / sieve.width;
    const productBytes = parts * blockRows * Int32Array.BYTES_PER_ELEMENT;
    const address = sieve.open(queries, wanted, productBytes + sieve.width * blockRows);
    const query = new Tensor('uint8', bytes, [parts, sieve.width]);
    const zero = new Tensor('uint8', Uint8Array.of(zeroPoint), []);
    for (let first = 0; first < sieve.count; first += blockRows) {
      const count = Math.min(blockRows, sieve.count - first);
      const rows = paddedCount(count);
      // Laid out anew for each batch: keeping them so would take as much memory as the codes themselves.
      const columns = sieve.columns(address + productBytes, first, rows);
      const block = new Tensor('int8', columns, [sieve.width, rows]);
      const products = new Tensor('int32', sieve.products(address, parts * rows), [parts, rows]);
      // Written in place, where the kernel reads it.
      await this.#session.run({ query, block, zero }, { products });
      for (let q = 0; q < m; q++) {
        const high = address + q * rows * 4;
        sieve.sift(q, high, fineness === 'fine' ? high + m * rows * 4 : 0, first, count);
      }
      sieve.sharpen(queries, first, first + count);
      pacer.signal?.throwIfAborted();
      if (pacer.due(m * count)) await pacer.pause();
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** Whether products of the largest codes, all of one sign, come out right: wide enough for every kernel there is. */
async function multipliesExactly(session: InferenceSession, code: number): Promise<boolean> {
  const [rows, width, count] = [40, 256, 64];
  for (const row of [127, -127]) {
    const query = new Tensor('uint8', new Uint8Array(rows * width).fill(2 * code), [rows, width]);
    const block = new Tensor('int8', new Int8Array(width * count).fill(row), [width, count]);
    const zero = new Tensor('uint8', Uint8Array.of(code), []);
    const { products } = await session.run({ query, block, zero });
    const { data } = products ?? { data: [] };
    if (data.length !== rows * count || !(data instanceof Int32Array)) return false;
    if (data.some((product) => product !== code * row * width)) return false;
  }
  return true;
}

/** `[m, width]` bytes. */
function onePart(codes: Int16Array, zeroPoint: number): Uint8Array {
  const bytes = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) bytes[i] = (codes[i] as number) + zeroPoint;
  return bytes;
}

/** `[2 m, width]` bytes: the coarse parts of all codes, then the rests. */
function twoParts(codes: Int16Array, zeroPoint: number): Uint8Array {
  const bytes = new Uint8Array(2 * codes.length);
  for (let i = 0; i < codes.length; i++) {
    const coarse = Math.round((codes[i] as number) / coarseStep);
    bytes[i] = coarse + zeroPoint;
    bytes[codes.length + i] = (codes[i] as number) - coarse * coarseStep + zeroPoint;
  }
  return bytes;
}
