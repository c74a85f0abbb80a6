import { createHash } from 'node:crypto';
import type { Rows } from '../../models/neighbours/rows.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { meanSimilarities, type CompareOptions } from '../../models/pecmae/window-products.ts';

/** Columns beyond this go, those that were not asked for longest first. */
const MOST_BYTES = 128 * 2 ** 20;

/** Windows of a library, by the tracks they belong to. */
export interface ComparedWindows {
  rows: Rows;
  /** Of each window its track, ascending. */
  trackOf: Int32Array;
  tracks: number;
}

/** What is told, and asked, on the way. */
export type Comparing = Partial<Pick<CompareOptions, 'signal' | 'onRows' | 'onBlock'>>;

/**
 * Mean similarity of every track to every prototype that was asked for, kept while the embeddings stay as they are. All
 * that a network says of a track follows from these, so an edit computes only what it touches: one column for a
 * prototype that was added, none for one that was removed or put back.
 */
export class TrackSimilarities {
  readonly #columns = new Map<string, Float32Array>();
  /** Mean squares of the windows, by the normalisation they are in; one network's, as a rule. */
  #norms: { of: string; values: Float32Array } | null = null;

  /** Whether all columns of a network can be kept. Else who needs them all goes through the windows without. */
  static holds({ prototypeCount }: PrototypeNetwork, { tracks }: ComparedWindows): boolean {
    return 4 * prototypeCount * tracks <= MOST_BYTES;
  }

  /**
   * @param windows always those of the same embeddings
   * @param options.onBlock who wants to see the windows' own similarities has all of them compared
   * @returns a column `[tracks]` for each prototype
   * @throws the signal's reason
   */
  async of(
    network: PrototypeNetwork,
    { rows, trackOf, tracks }: ComparedWindows,
    options: Comparing,
  ): Promise<Float32Array[]> {
    const keys = Array.from({ length: network.prototypeCount }, (_, k) => keyOf(network, k));
    const missing = keys.flatMap((key, k) => (!options.onBlock && this.#columns.has(key) ? [] : [k]));
    const made =
      missing.length === 0
        ? []
        : await meanSimilarities(network, rows, trackOf, tracks, {
            ...{ ...options, columns: missing },
            norms: this.#normsFor(network, rows.count),
          });
    const fresh = new Map(missing.map((k, i) => [keys[k], made[i]]));
    const columns = keys.map((key) => {
      // Columns that are known stay: what was said by them is to be said again to the bit.
      const column = this.#columns.get(key) ?? fresh.get(key) ?? new Float32Array(tracks);
      this.#columns.delete(key);
      this.#columns.set(key, column);
      return column;
    });
    this.#forget();
    return columns;
  }

  #normsFor({ data: { normalisation } }: PrototypeNetwork, count: number): Float32Array {
    const of = `${normalisation.mean} ${normalisation.scale}`;
    if (this.#norms?.of !== of) this.#norms = { of, values: new Float32Array(count).fill(NaN) };
    return this.#norms.values;
  }

  #forget(): void {
    let bytes = [...this.#columns.values()].reduce((sum, column) => sum + column.byteLength, 0);
    for (const [key, { byteLength }] of this.#columns) {
      if (bytes <= MOST_BYTES) break;
      this.#columns.delete(key);
      bytes -= byteLength;
    }
  }
}

/** Equal for prototypes that are the same vector with the same weights of channels in the same normalised space. */
function keyOf({ data }: PrototypeNetwork, k: number): string {
  const { prototypes, channelWeights, embeddingDim: d, normalisation } = data;
  const hash = createHash('sha256')
    .update(Float64Array.of(normalisation.mean, normalisation.scale))
    .update(prototypes.subarray(k * d, (k + 1) * d));
  if (channelWeights) hash.update(channelWeights.subarray(k * d, (k + 1) * d));
  return hash.digest('hex');
}
