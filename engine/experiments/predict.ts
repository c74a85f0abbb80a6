import { Pacer } from '../../models/numerics/pacer.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { ViewNetwork } from '../../models/views/view-network.ts';
import type { Experiment } from '../api/experiments.ts';
import type { AnyNetwork } from '../library/experiments.ts';
import type { Library } from '../library/library.ts';
import type { TrackPrediction } from '../library/predictions.ts';
import { predictTracks } from './metrics.ts';
import { viewedTracks, type ViewedTrack } from './viewed-tracks.ts';

type OnTrack = (done: number, total: number) => void;

/**
 * Classifies every track of a library that is embedded in the space of an experiment, or in any of its views.
 * @param what the subject of a sentence: “This experiment”
 * @throws EngineError `other-space`; the signal's reason
 */
export function predictLibrary(
  library: Library,
  { space, views }: Pick<Experiment, 'space' | 'views'>,
  network: AnyNetwork,
  options: { what: string; signal: AbortSignal; onTrack?: OnTrack | undefined },
): Promise<Map<string, TrackPrediction>> {
  const { what, signal, onTrack } = options;
  if (network instanceof PrototypeNetwork)
    return predictTracks(network, library.embeddings.madeIn(space, what), signal, onTrack);
  const spaces = (views?.views ?? []).map((view) => view.space);
  return predictViewed(network, viewedTracks(library, spaces), signal, onTrack);
}

/** Classifies tracks by all of their views, letting other work in between. @throws the signal's reason */
export async function predictViewed(
  network: ViewNetwork,
  tracks: readonly ViewedTrack[],
  signal: AbortSignal,
  onTrack: OnTrack = () => undefined,
): Promise<Map<string, TrackPrediction>> {
  const predictions = new Map<string, TrackPrediction>();
  const pacer = new Pacer(signal);
  for (const [done, { trackId, vectors, count }] of tracks.entries()) {
    const size = vectors.reduce((sum, own) => sum + (own?.length ?? 0), 0);
    if (pacer.due(size * network.prototypeCount)) await pacer.pause();
    onTrack(done, tracks.length);
    const { prediction, probabilities } = network.classify(vectors, count);
    predictions.set(trackId, { trackId, top: prediction, probabilities });
  }
  onTrack(tracks.length, tracks.length);
  return predictions;
}
