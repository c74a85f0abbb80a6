import { InferenceSession, Tensor } from 'onnxruntime-node';
import { componentsPerStep, rowsPerGroup } from '../../native/neighbours/index.ts';
import type { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import type { Sieve, SievedQuery } from './sieve.ts';

/** Rows per matrix product. */
const blockRows = 4096;
/**
 * How finely queries are rounded: to whole numbers within ±64, which one product takes, or to 128 times as many in two
 * (a coarse and a fine one), at twice the price. Each is an unsigned byte around {@link zeroPoint} times a row's ±127:
 * on processors without 8-bit dot products, ONNX Runtime adds pairs of such products in 16 bits, saturating, and
 * 2 · 128 · 127 = 32,512 still fits.
 */
export type Fineness = 'coarse' | 'fine';
/** Largest code of a query. */
export const productCode: Record<Fineness, number> = { coarse: 64, fine: 64 * 128 };
const zeroPoint = 64;
/** A fine code is this many times its coarse part, plus a rest of at most half of it. */
const coarseStep = 128;

/** `products = (query − zero) · block`: inputs `query [m, d]` uint8, `block [d, n]` int8, `zero []` uint8. */
export function productGraph(): Uint8Array {
  const g = new GraphBuilder('products-of-codes');
  const query = g.input('query', 'uint8', ['m', 'd']);
  const block = g.input('block', 'int8', ['d', 'n']);
  const zero = g.input('zero', 'uint8', []);
  g.output('products', g.op('MatMulInteger', [query, block, zero], {}, 'int32'), ['m', 'n']);
  return g.build();
}

interface Block {
  first: number;
  count: number;
  rows: Tensor;
}

/** Products of many queries' codes with all rows at once, by ONNX Runtime's 8-bit matrix product. */
export class CodeProduct {
  readonly #session: InferenceSession;
  readonly #blocks: Block[];

  private constructor(session: InferenceSession, blocks: Block[]) {
    this.#session = session;
    this.#blocks = blocks;
  }

  /** Lays the sieve's codes out for the product: as many bytes again. */
  static async build(sieve: Sieve, pacer: Pacer): Promise<CodeProduct> {
    const { width, count } = sieve;
    const blocks: Block[] = [];
    for (let first = 0; first < count; first += blockRows) {
      const rows = Math.min(blockRows, count - first);
      const columns = new Int8Array(width * rows);
      transpose(sieve.views().codes, first, rows, width, columns);
      blocks.push({ first, count: rows, rows: new Tensor('int8', columns, [width, rows]) });
      if (pacer.due(2 * columns.length)) await pacer.pause();
    }
    const session = await InferenceSession.create(productGraph(), {
      executionProviders: ['cpu'],
      logSeverityLevel: 3,
      // Between two products this process sifts: threads that wait busily would take its processor.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new CodeProduct(session, blocks);
  }

  /** Opens a search in `sieve` for queries read with {@link productCode}, and sifts all rows for them. */
  async sift(
    sieve: Sieve,
    queries: readonly SievedQuery[],
    k: number,
    fineness: Fineness,
    pacer: Pacer,
  ): Promise<void> {
    const m = queries.length;
    const codes = new Int16Array(m * sieve.width);
    queries.forEach(({ code }, q) => code && codes.set(code.codes, q * sieve.width));
    const bytes = fineness === 'coarse' ? onePart(codes) : twoParts(codes);
    const parts = bytes.length / sieve.width;
    const address = sieve.open(queries, k, parts * blockRows * Int32Array.BYTES_PER_ELEMENT);
    const query = new Tensor('uint8', bytes, [parts, sieve.width]);
    const zero = new Tensor('uint8', Uint8Array.of(zeroPoint), []);
    for (const { first, count, rows } of this.#blocks) {
      const products = new Tensor('int32', sieve.products(address, parts * count), [parts, count]);
      // Written in place, where the kernel reads it.
      await this.#session.run({ query, block: rows, zero }, { products });
      for (let q = 0; q < m; q++) {
        const high = address + q * count * 4;
        sieve.sift(q, high, fineness === 'fine' ? high + m * count * 4 : 0, first, count);
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

/** `[m, width]` bytes. */
function onePart(codes: Int16Array): Uint8Array {
  const bytes = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) bytes[i] = at(codes, i) + zeroPoint;
  return bytes;
}

/** `[2 m, width]` bytes: the coarse parts of all codes, then the rests. */
function twoParts(codes: Int16Array): Uint8Array {
  const bytes = new Uint8Array(2 * codes.length);
  for (let i = 0; i < codes.length; i++) {
    const coarse = Math.round(at(codes, i) / coarseStep);
    bytes[i] = coarse + zeroPoint;
    bytes[codes.length + i] = at(codes, i) - coarse * coarseStep + zeroPoint;
  }
  return bytes;
}

/** Interleaved rows `first…first + count` (a multiple of 4 to start with) as columns `[width, count]`. */
function transpose(codes: Int8Array, first: number, count: number, width: number, out: Int8Array): void {
  const lane = rowsPerGroup * componentsPerStep;
  for (let row = 0; row < count; row++) {
    const inGroup = (first + row) % rowsPerGroup;
    const group = (first + row - inGroup) * width + inGroup * componentsPerStep;
    for (let d = 0; d < width; d += componentsPerStep) {
      const place = group + (d / componentsPerStep) * lane;
      for (let i = 0; i < componentsPerStep; i++) out[(d + i) * count + row] = at(codes, place + i);
    }
  }
}
