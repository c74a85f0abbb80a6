import { Random } from '../numerics/random.ts';
import { classesOf, selectSounds, type Represented } from './collection.ts';

/** One question put to a classifier: learn from these sounds, answer for those. */
export interface Trial {
  train: Represented;
  test: Represented;
}

const FOLDS = 5;
/** Share of the training collection drawn for each seed of a cross-collection trial, so that seeds differ. */
const CROSS_SHARE = 0.8;

/** Five folds within one collection: stratified by class, groups kept whole, dealt out anew for every seed. */
export function withinCollection(collection: Represented, seed: number): Trial[] {
  const fold = dealFolds(collection, seed);
  return Array.from({ length: FOLDS }, (_, part) => ({
    train: selectSounds(collection, (sound) => fold.get(sound.group) !== part),
    test: selectSounds(collection, (sound) => fold.get(sound.group) === part),
  })).filter(({ train, test }) => train.sounds.length > 0 && test.sounds.length > 0);
}

/** From one collection to another, over the classes both have; each seed draws 80 % of every class to learn from. */
export function crossCollection(from: Represented, to: Represented, seed: number): Trial[] {
  const shared = sharedClasses(from, to);
  const random = new Random(seed);
  const drawn = new Set<number>();
  for (const name of shared) {
    const rows = random.shuffle(from.sounds.flatMap((sound, index) => (sound.class === name ? [index] : [])));
    for (const row of rows.slice(0, Math.max(1, Math.round(CROSS_SHARE * rows.length)))) drawn.add(row);
  }
  return [
    {
      train: selectSounds(from, (_sound, index) => drawn.has(index)),
      test: selectSounds(to, (sound) => shared.includes(sound.class)),
    },
  ];
}

/** Every group is held out once (leave one album out); groups whose class nobody else has cannot be asked. */
export function leaveOneGroupOut(collection: Represented): Trial[] {
  const groups = [...new Set(collection.sounds.map((sound) => sound.group))].sort();
  return groups.flatMap((group) => {
    const train = selectSounds(collection, (sound) => sound.group !== group);
    const known = new Set(classesOf(train));
    const test = selectSounds(collection, (sound) => sound.group === group && known.has(sound.class));
    return test.sounds.length > 0 ? [{ train, test }] : [];
  });
}

/** Classes that both collections have, sorted. */
export function sharedClasses(a: Represented, b: Represented): string[] {
  const theirs = new Set(classesOf(b));
  return classesOf(a).filter((name) => theirs.has(name));
}

function dealFolds(collection: Represented, seed: number): Map<string, number> {
  const random = new Random(seed);
  const fold = new Map<string, number>();
  let next = 0;
  for (const name of classesOf(collection)) {
    const groups = new Set(collection.sounds.filter((s) => s.class === name).map((s) => s.group));
    for (const group of random.shuffle([...groups])) {
      if (!fold.has(group)) fold.set(group, next++ % FOLDS);
    }
  }
  return fold;
}
