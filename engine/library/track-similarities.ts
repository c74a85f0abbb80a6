import { createHash } from 'node:crypto';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';

/** Columns beyond this go, those that were not asked for longest first. */
const MOST_BYTES = 128 * 2 ** 20;

/**
 * Mean similarity of every track to every prototype that was asked for, kept while the embeddings stay as they are. All
 * that a network says of a track follows from these, so an edit computes only what it touches: one column for a
 * prototype that was added, none for one that was removed or put back.
 */
export class TrackSimilarities {
  readonly #columns = new Map<string, Float32Array>();

  /**
   * @param tracks windows `[count, dim]` of each track, always those of the same embeddings
   * @param onTrack awaited before each track whose windows are compared
   * @returns a column `[tracks]` for each prototype
   */
  async of(
    network: PrototypeNetwork,
    tracks: readonly { vectors: Float32Array; count: number }[],
    onTrack: () => Promise<void>,
  ): Promise<Float32Array[]> {
    const keys = Array.from({ length: network.prototypeCount }, (_, k) => keyOf(network, k));
    const missing = keys.flatMap((key, k) => (this.#columns.has(key) ? [] : [k]));
    const made = missing.map(() => new Float32Array(tracks.length));
    if (missing.length > 0) {
      const asked = network.packed(missing);
      for (const [row, { vectors, count }] of tracks.entries()) {
        await onTrack();
        const similarities = network.similaritiesTo(asked, vectors, count);
        for (const [i, column] of made.entries()) {
          let sum = 0;
          for (let at = i; at < similarities.length; at += missing.length) sum += similarities[at] ?? 0;
          column[row] = sum / count;
        }
      }
    }
    const fresh = new Map(missing.map((k, i) => [keys[k], made[i]]));
    const columns = keys.map((key) => {
      const column = fresh.get(key) ?? this.#columns.get(key) ?? new Float32Array(tracks.length);
      this.#columns.delete(key);
      this.#columns.set(key, column);
      return column;
    });
    this.#forget();
    return columns;
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
    .update(prototypes.slice(k * d, (k + 1) * d));
  if (channelWeights) hash.update(channelWeights.slice(k * d, (k + 1) * d));
  return hash.digest('hex');
}
