import { basename } from 'node:path';
import type { VectorRef } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { getExperiment, loadNetwork } from '../experiments/store.ts';
import { getReduction } from '../library/reductions.ts';

/**
 * What vectors are called, as they are in the window: “oboe #3”, “12 prototypes of Folders · 4 per class”.
 * @throws EngineError `not-found`
 */
export function nameOfVectors(library: Library, targets: readonly VectorRef[]): string {
  const [first] = targets;
  if (first === undefined) return 'nothing';
  if (targets.length === 1) return nameOfVector(library, first);
  const of =
    first.kind === 'prototype' && targets.every((target) => target.kind === 'prototype')
      ? ` of ${getExperiment(library, first.experimentId).name}`
      : '';
  return `${targets.length} ${of === '' ? 'vectors' : 'prototypes'}${of}`;
}

function nameOfVector(library: Library, ref: VectorRef): string {
  switch (ref.kind) {
    case 'track':
      return fileOf(library, ref.trackId);
    case 'window':
      return `window ${ref.windowIndex + 1} of ${fileOf(library, ref.trackId)}`;
    case 'prototype': {
      const network = loadNetwork(library, ref.experimentId);
      if (ref.index >= network.prototypeCount)
        throw new EngineError(
          'not-found',
          `The experiment has no prototype ${ref.index}; it has ${network.prototypeCount}.`,
        );
      return `${network.data.classes[network.classOf(ref.index)] ?? 'prototype'} #${ref.index + 1}`;
    }
    case 'generated':
      return `#${ref.index + 1} of ${getReduction(library, ref.reductionId).name}`;
  }
}

function fileOf(library: Library, trackId: string): string {
  const row = library.db.prepare<{ path: string }>('SELECT path FROM tracks WHERE id = ?').get([trackId]);
  if (row) return basename(row.path);
  throw new EngineError('not-found', `There is no track ${trackId}.`, 'It may have been removed.');
}
