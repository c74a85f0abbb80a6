import { partsOf, type Rows } from '../neighbours/rows.ts';
import type { Pacer } from '../numerics/pacer.ts';

/**
 * Rows that differ, by their first occurrence, and for every row which of them it equals, bit for bit. They are read once, and
 * once more where two hashes are equal.
 * @returns `rows` ascending; `of[count]`: places in `rows`
 * @throws the pacer's
 */
export async function distinctRows(
  all: Rows,
  pacer: Pacer,
): Promise<{ rows: Int32Array<ArrayBuffer>; of: Int32Array }> {
  const { count, dim } = all;
  const rows = new Int32Array(count);
  const of = new Int32Array(count);
  const hashes = new Int32Array(count);
  // Open addressing with room for twice as many: a Map of millions of numbers takes ten times the memory.
  const mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1;
  const table = new Int32Array(mask + 1).fill(-1);
  let distinct = 0;
  for (const [first, part] of partsOf(all)) {
    const words = wordsOf(part);
    for (let i = 0; i < part.length / dim; i++) {
      const hash = hashOf(words, i * dim, (i + 1) * dim);
      let slot = hash & mask;
      let found = -1;
      for (; (found = table[slot] as number) >= 0; slot = (slot + 1) & mask) {
        if (hashes[found] !== hash) continue;
        if (equalRows(words, i * dim, wordsOf(all.one(rows[found] as number)))) break;
      }
      if (found < 0) {
        found = distinct++;
        table[slot] = found;
        rows[found] = first + i;
        hashes[found] = hash;
      }
      of[first + i] = found;
      if (pacer.due(dim)) await pacer.pause();
    }
  }
  return { rows: rows.slice(0, distinct), of };
}

const wordsOf = ({ buffer, byteOffset, length }: Float32Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length);

/** FNV-1a over words, finished so that its low bits depend on all of them. */
function hashOf(words: Int32Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return hash ^ (hash >>> 15);
}

function equalRows(words: Int32Array, from: number, other: Int32Array): boolean {
  for (let i = 0; i < other.length; i++) if (words[from + i] !== other[i]) return false;
  return true;
}
