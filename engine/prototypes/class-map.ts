import { fitPca } from '../../models/projection/pca.ts';
import type { Experiment } from '../api/experiments.ts';
import type { ClassMap, ClassMapPoint } from '../api/prototypes.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { NOT_TRAINING } from '../library/vectors.ts';
import { factsOf } from './facts.ts';
import { partOfView, partsOf } from './parts.ts';

/** Classes shown beside the one in question. */
const RIVALS = 3;
/** Windows that are drawn, at most; every n-th where there are more. */
const MOST_WINDOWS = 600;

/**
 * A class among those it is confused with most, in two dimensions: their prototypes and the training windows nearest to
 * these, projected on their own two main directions. Of several views, in one of them.
 * @throws EngineError `not-found`; `other-space`; the signal's reason
 */
export async function classMap(
  library: Library,
  { experimentId, class: name, view }: { experimentId: string; class: string; view: number },
  signal: AbortSignal,
): Promise<ClassMap> {
  const experiment = library.experiments.get(experimentId);
  const wanted = experiment.classes.indexOf(name);
  if (wanted < 0) throw new EngineError('not-found', `The experiment has no class “${name}”.`);
  const whole = library.experiments.anyNetwork(experimentId, experiment.revision);
  const part = partOfView(partsOf(experiment, whole), view);
  const { network, prepare, first } = part;
  const vectors = library.embeddings.madeIn(part.space, 'This experiment');
  const { nearestOf } = await factsOf(library, experiment, part, vectors, signal);
  const { windows } = vectors;
  const labelsOf = new Map(library.experiments.tracksOf(experimentId).map((t) => [t.id, t.labels]));
  const rivals = rivalsOf(experiment, wanted, nearestOf, windows, labelsOf, (k) => network.classOf(k));
  const shown = new Set([wanted, ...rivals]);

  const prototypes = [...network.data.prototypeClasses.keys()].filter((k) => shown.has(network.classOf(k)));
  let own = 0;
  let covered = 0;
  const near: number[] = [];
  for (const [row, k] of nearestOf.entries()) {
    if (k === NOT_TRAINING) continue;
    const labels = labelsOf.get(windows.trackIds[windows.trackOf[row] ?? -1] ?? '') ?? [];
    if (labels.includes(wanted)) {
      own += 1;
      if (network.classOf(k) === wanted) covered += 1;
    }
    if (shown.has(network.classOf(k)) && labels.some((label) => shown.has(label))) near.push(row);
  }
  const step = Math.max(1, Math.ceil(near.length / MOST_WINDOWS));
  const drawn = near.filter((_, i) => i % step === 0);

  const { dim } = windows;
  const all = new Float32Array((prototypes.length + drawn.length) * dim);
  prototypes.forEach((k, i) => all.set(prepare(part.vectorOf(k)), i * dim));
  const rows = await vectors.rows('window', signal);
  drawn.forEach((row, i) => all.set(prepare(rows.one(row)), (prototypes.length + i) * dim));
  const { mean, axes } = await fitPca(all, dim, { signal });
  const place = (i: number, axis: Float64Array): number => {
    let sum = 0;
    for (let e = 0; e < dim; e++) sum += ((all[i * dim + e] ?? 0) - (mean[e] ?? 0)) * (axis[e] ?? 0);
    return sum;
  };
  const at = (i: number) => ({ x: place(i, axes[0]), y: place(i, axes[1]) });
  const classNames = experiment.classes;
  const points: ClassMapPoint[] = [
    ...prototypes.map((k, i) => ({
      ...{ kind: 'prototype' as const, index: first + k, class: classNames[network.classOf(k)] ?? '' },
      ...at(i),
    })),
    ...drawn.map((row, i) => {
      const trackId = windows.trackIds[windows.trackOf[row] ?? -1] ?? '';
      const label = (labelsOf.get(trackId) ?? []).find((of) => shown.has(of)) ?? wanted;
      return {
        ...{ kind: 'window' as const, trackId, windowIndex: windows.windowIndex[row] ?? 0 },
        ...{ startSeconds: windows.startSeconds[row] ?? 0, class: classNames[label] ?? '' },
        ...at(prototypes.length + i),
      };
    }),
  ];
  return {
    ...{ class: name, rivals: rivals.map((rival) => classNames[rival] ?? '') },
    coverage: own === 0 ? null : covered / own,
    points,
  };
}

/** Classes whose prototypes are nearest to windows of the class, or the other way round; most such windows first. */
function rivalsOf(
  { classes }: Experiment,
  wanted: number,
  nearestOf: Int32Array,
  windows: { trackIds: readonly string[]; trackOf: Int32Array },
  labelsOf: ReadonlyMap<string, readonly number[]>,
  classOf: (prototype: number) => number,
): number[] {
  const counts = new Float64Array(classes.length);
  for (const [row, k] of nearestOf.entries()) {
    if (k === NOT_TRAINING) continue;
    const labels = labelsOf.get(windows.trackIds[windows.trackOf[row] ?? -1] ?? '') ?? [];
    const nearest = classOf(k);
    if (nearest !== wanted && labels.includes(wanted)) counts[nearest] = (counts[nearest] ?? 0) + 1;
    if (nearest === wanted && !labels.includes(wanted))
      for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  }
  return [...counts.keys()]
    .filter((c) => (counts[c] ?? 0) > 0)
    .sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b)
    .slice(0, RIVALS);
}
