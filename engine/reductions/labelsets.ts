import { labelsetIds } from '../../models/embeddings/labelled-vectors.ts';
import type { LabelsetShare } from '../api/studies.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { corpusRows } from './corpus/index.ts';

/**
 * Every labelset of the corpus or the reduced set, with the rows and the generated prototypes that bear it: what a
 * reduction kept, lost and made up. Most frequent first.
 * @throws EngineError `not-found`, `too-few-labels`; DatasetError; the signal's reason
 */
export async function reductionLabelsets(
  context: EngineContext,
  library: Library,
  reductionId: string,
  signal?: AbortSignal,
): Promise<LabelsetShare[]> {
  const reduction = library.reductions.get(reductionId);
  const { labelsets: bits, clusterSizes } = library.reductions.setOf(reductionId);
  const corpus = await corpusRows(context, library, reduction.source, signal, reduction.space ?? undefined);
  const shares = new Map<string, LabelsetShare>();
  const count = (
    labels: Uint8Array,
    rows: number,
    names: readonly string[],
    what: 'rows' | 'prototypes',
  ): void => {
    const L = names.length;
    const { ids, firstRow } = labelsetIds(labels, rows, L);
    const known = firstRow.map((row) => {
      const labelset = names.filter((_, label) => labels[row * L + label] === 1);
      const key = JSON.stringify(labelset);
      const share = shares.get(key) ?? { labelset, rows: 0, prototypes: 0 };
      shares.set(key, share);
      return share;
    });
    for (const id of ids) {
      const share = known[id];
      if (share) share[what] += 1;
    }
  };
  count(corpus.labels, corpus.count, corpus.labelNames, 'rows');
  count(bits, clusterSizes.length, reduction.labels, 'prototypes');
  return [...shares.values()].sort((a, b) => b.rows - a.rows || b.prototypes - a.prototypes);
}
