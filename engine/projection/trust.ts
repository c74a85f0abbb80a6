import { neighbourGraph, trustOfPoints } from '../../models/projection/index.ts';
import { EngineError } from '../api/errors.ts';
import type { TrustEvent } from '../api/projection.ts';
import type { Library } from '../library/library.ts';
import { embedded, mappedSpace, projectionId } from './compute.ts';
import type { ProjectionRequest } from './compute.ts';
import { Latest } from './latest.ts';

const TOTAL = 100;
/** Neighbours compared, as for the trust of the whole map. */
const NEIGHBOURS = 10;

/**
 * How far to trust each point of a map that was computed before.
 * @throws EngineError `not-found` when it was not (or is not kept any more), `other-space`; the signal's reason
 */
export async function* computeTrust(
  library: Library,
  request: Omit<ProjectionRequest, 'reductionId'>,
  signal: AbortSignal,
): AsyncGenerator<TrustEvent> {
  const asked = { ...request, reductionId: null };
  const space = mappedSpace(library, asked);
  const map = library.projections.find(projectionId(library, asked, space));
  if (!map) throw new EngineError('not-found', 'This map is not there any more.', 'Compute the map again.');
  const count = map.x.length - map.prototypes;
  if (count < 2) {
    yield { type: 'result', trust: new Float32Array(count).fill(1) };
    return;
  }
  const left = new AbortController();
  const both = AbortSignal.any([signal, left.signal]);
  const progress = new Latest<number>();
  const work = embedded(library, request.level, space, both)
    .then((rows) =>
      neighbourGraph(rows, rows.dim, Math.min(NEIGHBOURS, count - 1), {
        signal: both,
        onProgress: (fraction) => progress.put(Math.floor(fraction * TOTAL)),
      }),
    )
    .then((graph) =>
      trustOfPoints(graph, { x: map.x.subarray(0, count), y: map.y.subarray(0, count) }, { signal: both }),
    )
    .finally(() => progress.close());
  // Awaited below; without this a failure while the reader is elsewhere would count as unhandled.
  work.catch(() => undefined);
  try {
    for await (const done of progress) yield { type: 'progress', done, total: TOTAL };
    yield { type: 'result', trust: await work };
  } finally {
    left.abort();
  }
}
