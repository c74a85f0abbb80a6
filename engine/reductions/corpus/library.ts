import type { CorpusSource } from '../../api/corpora.ts';
import type { SpaceInfo } from '../../api/spaces.ts';
import { EngineError } from '../../api/errors.ts';
import type { EngineContext } from '../../context.ts';
import { checkFitsMemory } from '../../library/fits-memory.ts';
import type { Library } from '../../library/library.ts';
import { chosenRows, partsOf } from '../../../models/neighbours/rows.ts';
import { numberTracks } from '../../../models/embeddings/tracks.ts';
import { splitGroups } from '../../../models/evaluation/splits/groups.ts';
import type { LabelledRows } from './rows.ts';

type LibrarySource = Extract<CorpusSource, { kind: 'library' }>;

/**
 * The labelled tracks (or windows) of a library. Labels are sorted by name.
 * @throws EngineError `not-found`; `too-few-labels` when no ready track has a label; `reduction` where they would not fit
 * into memory; the signal's reason
 */
export async function libraryRows(
  context: EngineContext,
  library: Library,
  source: LibrarySource,
  space: SpaceInfo = library.space(),
  signal?: AbortSignal,
): Promise<LabelledRows> {
  const name = library.taxonomies.nameOf(source.taxonomyId);
  const vectors = library.embeddings.madeIn(space, 'This corpus');
  const { windows } = vectors;
  const { dim } = windows;
  const labelsets = library.labels.of(source.taxonomyId);
  const trackOf =
    source.level === 'track'
      ? windows.trackIds
      : Array.from(windows.trackOf, (track) => windows.trackIds[track] ?? '');
  const rows = trackOf.flatMap((id, row) => ((labelsets.get(id)?.length ?? 0) > 0 ? [row] : []));
  if (rows.length === 0)
    throw new EngineError(
      'too-few-labels',
      'No track that is ready has a label in this taxonomy.',
      'Import the library first, then choose another taxonomy or label tracks by hand.',
    );
  const tracks = numberTracks(
    rows.map((row) => trackOf[row] ?? ''),
    splitGroups(library.groupFacts(), 'track'),
  );
  const labelNames = [...new Set(tracks.ids.flatMap((id) => labelsets.get(id) ?? []))].sort();
  const numberOf = new Map(labelNames.map((label, index) => [label, index]));
  const chosen = chosenRows(await vectors.rows(source.level, signal), rows);
  checkFitsMemory({ count: rows.length, dim }, { kind: 'study', code: 'reduction', what: 'A study' });
  const features = new Float32Array(rows.length * dim);
  for (const [first, part] of partsOf(chosen)) features.set(part, first * dim);
  const labels = new Uint8Array(rows.length * labelNames.length);
  const firstLabel: number[] = [];
  rows.forEach((row, i) => {
    const numbers = (labelsets.get(trackOf[row] ?? '') ?? []).map((label) => numberOf.get(label) ?? 0);
    for (const label of numbers) labels[i * labelNames.length + label] = 1;
    firstLabel.push(numbers[0] ?? 0);
  });
  const pack = context.packs.list().find((known) => known.id === space.packId);
  return {
    ...{ source, name, features, count: rows.length, dim, labels, labelNames, tracks, firstLabel },
    ...{ space, dataset: null },
    unlabelled: trackOf.length - rows.length,
    classPerRow: false,
    silent:
      pack?.sampler === null
        ? `The pack ${pack.title} only embeds: its vectors cannot be turned back into sound.`
        : null,
    warnings: [],
  };
}
