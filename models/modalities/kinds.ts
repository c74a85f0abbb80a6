/** Everything that tracks are looked at by. Sound is any embedding space; the others are computed from what lies with it. */
export const modalities = ['audio', 'cover', 'words'] as const;
export type Modality = (typeof modalities)[number];

/** One modality of some tracks. */
export interface ModalityRows {
  dim: number;
  /** `[tracks, dim]`, finite; anything for a track that has none. */
  rows: Float32Array;
  /** What each track's is: tracks of one unit have the same, such as the cover of their album; null for none. */
  units: readonly (string | null)[];
}

/** Tracks of known classes, by their modalities. */
export interface SharedData {
  /** Class of each track, `0…classes - 1`. */
  labels: ArrayLike<number>;
  classes: number;
  /** Of each track: those of one group never part in a split. */
  groups: readonly string[];
  modalities: Partial<Record<Modality, ModalityRows>>;
}

/** Modalities that there are, in their order. */
export const presentModalities = (of: Partial<Record<Modality, unknown>>): Modality[] =>
  modalities.filter((modality) => of[modality] !== undefined);
