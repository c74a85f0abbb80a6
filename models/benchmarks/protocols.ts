import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { borneLabels, classOfTracks, selectTracks } from '../embeddings/tracks.ts';
import { groupedFolds } from '../evaluation/splits/folds.ts';
import { Random } from '../numerics/random.ts';

/** One question put to a classifier: learn from these sounds, answer for those. */
export interface Trial {
  train: LabelledWindows;
  test: LabelledWindows;
}

const FOLDS = 5;
/** Share of the training collection drawn for each seed of a cross-collection trial, so that seeds differ. */
const CROSS_SHARE = 0.8;

/** Five folds within one collection: stratified by class, groups kept whole, dealt out anew for every seed. */
export function withinCollection(collection: LabelledWindows, seed: number): Trial[] {
  const { groups } = collection.tracks;
  const classes = classOfTracks(collection);
  const items = groups.map((group, track) => ({
    group,
    label: collection.labelNames.indexOf(classes[track] ?? ''),
  }));
  const folds = Math.min(FOLDS, new Set(groups).size);
  return groupedFolds(items, folds, seed, 'by-class').map((held) => ({
    train: selectTracks(collection, (track) => !held.has(groups[track] ?? '')),
    test: selectTracks(collection, (track) => held.has(groups[track] ?? '')),
  }));
}

/** From one collection to another, over the classes both have; each seed draws 80 % of every class to learn from. */
export function crossCollection(from: LabelledWindows, to: LabelledWindows, seed: number): Trial[] {
  const shared = sharedClasses(from, to);
  const random = new Random(seed);
  const drawn = new Set<number>();
  const [ours, theirs] = [classOfTracks(from), classOfTracks(to)];
  for (const name of shared) {
    const tracks = random.shuffle(ours.flatMap((own, track) => (own === name ? [track] : [])));
    for (const track of tracks.slice(0, Math.max(1, Math.round(CROSS_SHARE * tracks.length))))
      drawn.add(track);
  }
  return [
    {
      train: selectTracks(from, (track) => drawn.has(track)),
      test: selectTracks(to, (track) => shared.includes(theirs[track] ?? '')),
    },
  ];
}

/** Every group is held out once (leave one album out); groups whose class nobody else has cannot be asked. */
export function leaveOneGroupOut(collection: LabelledWindows): Trial[] {
  const { groups } = collection.tracks;
  const classes = classOfTracks(collection);
  return [...new Set(groups)].sort().flatMap((group) => {
    const train = selectTracks(collection, (track) => groups[track] !== group);
    const known = new Set(borneLabels(train));
    const test = selectTracks(
      collection,
      (track) => groups[track] === group && known.has(classes[track] ?? ''),
    );
    return test.count > 0 ? [{ train, test }] : [];
  });
}

/** Classes that both collections have, sorted. */
export function sharedClasses(a: LabelledWindows, b: LabelledWindows): string[] {
  const theirs = new Set(borneLabels(b));
  return borneLabels(a).filter((name) => theirs.has(name));
}
