/** A labelled sound as the scores take it. */
export interface LabelledSound {
  /** Name that tells it from all others of its collection, e.g. its path inside the folder. */
  name: string;
  class: string;
  /** Sounds of one group never stand on both sides of a split: the album; the sound itself where there is none. */
  group: string;
}

/** How a collection looks through one kind of features. */
export interface Represented {
  sounds: readonly LabelledSound[];
  dim: number;
  /** `[windows, dim]` */
  windows: Float32Array;
  /** Sound each window belongs to. */
  soundOf: Int32Array;
}

/** Mean over the windows of each sound, `[sounds, dim]`. */
export function soundVectors({ sounds, dim, windows, soundOf }: Represented): Float32Array {
  const means = new Float32Array(sounds.length * dim);
  const counts = new Int32Array(sounds.length);
  soundOf.forEach((sound) => (counts[sound] = (counts[sound] ?? 0) + 1));
  soundOf.forEach((sound, window) => {
    const share = 1 / (counts[sound] ?? 1);
    for (let d = 0; d < dim; d++) {
      const at = sound * dim + d;
      means[at] = (means[at] ?? 0) + share * (windows[window * dim + d] ?? 0);
    }
  });
  return means;
}

/** The part of a collection made of the sounds that `keep` accepts. */
export function selectSounds(
  { sounds, dim, windows, soundOf }: Represented,
  keep: (sound: LabelledSound, index: number) => boolean,
): Represented {
  const places = new Map<number, number>();
  sounds.forEach((sound, index) => {
    if (keep(sound, index)) places.set(index, places.size);
  });
  const rows = Array.from(soundOf.keys()).filter((row) => places.has(soundOf[row] ?? -1));
  const chosen = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => chosen.set(windows.subarray(row * dim, (row + 1) * dim), i * dim));
  return {
    sounds: [...places.keys()].flatMap((index) => sounds[index] ?? []),
    dim,
    windows: chosen,
    soundOf: Int32Array.from(rows, (row) => places.get(soundOf[row] ?? -1) ?? 0),
  };
}

/** Classes of a collection, sorted. */
export function classesOf({ sounds }: { sounds: readonly LabelledSound[] }): string[] {
  return [...new Set(sounds.map((sound) => sound.class))].sort();
}
