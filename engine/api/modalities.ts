/** One space of sound, covers and words, with class vectors in common. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary, path, seed, type Started } from './shared.ts';

export const modalityNames = ['audio', 'cover', 'words'] as const;
export type ModalityName = (typeof modalityNames)[number];
export const modalityTitles: Readonly<Record<ModalityName, string>> = {
  audio: 'Sound',
  cover: 'Cover',
  words: 'Words',
};

/** What the classes of a shared classifier are. */
export const sharedClassesSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('artist') }),
  z.strictObject({ kind: z.literal('album') }),
  z.strictObject({ kind: z.literal('taxonomy'), taxonomyId: id }),
]);
export type SharedClasses = z.output<typeof sharedClassesSchema>;

/** Fewer say too little: classes, and tracks of each; `groups` of each where a class is met again in the held-out part. */
export const fewestToShare: Readonly<
  Record<SharedClasses['kind'], { classes: number; tracks: number; groups: number }>
> = {
  artist: { classes: 20, tracks: 3, groups: 1 },
  album: { classes: 20, tracks: 3, groups: 1 },
  taxonomy: { classes: 3, tracks: 3, groups: 3 },
};
/** Different covers, or texts, that a modality needs to be learned from. */
export const FEWEST_EXAMPLES = 20;

export const sharedSettingsSchema = z.strictObject({
  /** Numbers per vector of the common space. */
  dim: z.int().min(2).max(256).default(32),
  /** Null: as many as help artists (or albums) that are left out of learning. */
  steps: z.int().min(1).max(20_000).nullable().default(null),
  /** Scale and margin of the cosine softmax. */
  scale: z.number().min(1).max(64).default(10),
  margin: z.number().min(0).max(0.5).default(0.1),
  seed: seed.default(1),
});
export type SharedSettingsInput = z.output<typeof sharedSettingsSchema>;

/** A figure with the interval of 95 % of what other draws of the groups would give. */
const figure = z.object({ value: z.number(), low: z.number(), high: z.number() });
export const trialFiguresSchema = z.object({
  a: z.enum(modalityNames),
  b: z.enum(modalityNames),
  /** Pairs of one class, and others. */
  targets: z.int(),
  others: z.int(),
  eer: figure,
  auc: z.number(),
  /** Of what was learned with examples dealt out anew. */
  control: figure,
  /** Control minus learned. */
  gain: figure.extend({ verdict: z.enum(['better', 'worse', 'cannot-tell']) }),
  /** Better than the control, and the whole interval well below guessing. */
  usable: z.boolean(),
});
export type SharedTrialFigures = z.output<typeof trialFiguresSchema>;

export const trialTitle = ({ a, b }: Pick<SharedTrialFigures, 'a' | 'b'>): string =>
  `${modalityTitles[a]} – ${modalityTitles[b].toLowerCase()}`;

export function trialVerdict({ usable, gain }: SharedTrialFigures): string {
  if (usable) return 'tells';
  return gain.verdict === 'worse' ? 'worse than its control' : 'cannot tell';
}

/** Something that was not taken, and why. */
export const leftOutSchema = z.object({ path: z.string(), reason: z.string() });

/** What there is to learn from. */
export interface SharedReadiness {
  /** Classes with tracks enough, their tracks, and the groups these fall into. */
  classes: number;
  tracks: number;
  groups: number;
  /** Different covers among these tracks, and tracks that have none, some of them by path. */
  covers: number;
  withoutCover: {
    tracks: number;
    /** Those first whose cover is there and was not taken. `reason`: null where there is none. */
    examples: { path: string; reason: string | null }[];
  };
  /** What is missing, for people; null where it can be learned. */
  problem: { message: string; hint: string } | null;
}

/** A common space that was learned. */
export interface SharedSpace {
  id: string;
  title: string;
  createdAt: string;
  classesFrom: SharedClasses;
  /** Name of what the classes are. */
  classesTitle: string;
  settings: SharedSettingsInput;
  /** Steps that were learned; null where that is not known. */
  steps: number | null;
  /** What looked at covers; null: the hand-made features. */
  imageNetwork: { name: string; path: string } | null;
  modalities: ModalityName[];
  classes: number;
  tracks: number;
  groups: number;
  covers: number;
  trials: SharedTrialFigures[];
  /** Tracks without a cover; covers that were not taken or could not be looked at; how often words that name a class were left out. */
  withoutCover: number;
  unreadCovers: { path: string; reason: string }[];
  wordsLeftOut: number;
  lyrics: number;
  /** Its embedding space is the one the library is seen in. */
  current: boolean;
}

/** What recordings are looked for by. */
export const findBySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cover'), path }),
  z.strictObject({ kind: z.literal('track-cover'), trackId: id }),
  z.strictObject({ kind: z.literal('words'), text: z.string().trim().min(1).max(2000) }),
]);
export type FindBy = z.output<typeof findBySchema>;

export interface FoundTrack {
  trackId: string;
  title: string;
  artist: string | null;
  album: string | null;
  path: string;
  /** -1…1 */
  cosine: number;
}

/** Recordings and classes, nearest first. */
export interface FoundByModality {
  tracks: FoundTrack[];
  classes: { name: string; cosine: number }[];
  /** Tracks that were compared. */
  compared: number;
}

/** A cover by how well it fits its own recordings. */
export interface CoverFit {
  /** One of the tracks that have it. */
  track: FoundTrack;
  tracks: number;
  /** In deviations below (negative) or above what covers that have nothing to do with the recordings score. */
  z: number;
  /** A track whose cover fits best; null where that is its own. */
  better: FoundTrack | null;
}

/** A class vector, which is a prototype of all modalities. */
export interface SharedClass {
  name: string;
  tracks: number;
  /** The covers nearest to it, each by one of its tracks, and whether that track is of the class. */
  covers: (FoundTrack & { own: boolean })[];
  /** The recordings nearest to it. */
  nearest: FoundTrack[];
}

const shared = { ...inLibrary, sharedId: id };
export const modalitiesMethods = {
  'modalities.readiness': query<SharedReadiness>()(
    z.strictObject({ ...inLibrary, classes: sharedClassesSchema }),
  ),
  'modalities.learn': query<Started>()(
    z.strictObject({
      ...inLibrary,
      classes: sharedClassesSchema,
      settings: sharedSettingsSchema.prefault({}),
      title: z.string().trim().min(1).max(200).default('Covers and words'),
      /** An ONNX network with a JSON beside it that looks at covers; null: hand-made features. */
      imageNetwork: path.nullable().default(null),
    }),
  ),
  /** Newest first. */
  'modalities.list': query<SharedSpace[]>()(z.strictObject(inLibrary)),
  /** Refused where the evaluation cannot tell that it finds anything. */
  'modalities.find': query<FoundByModality>()(
    z.strictObject({ ...shared, by: findBySchema, k: z.int().min(1).max(1000).default(50) }),
  ),
  /** Worst first; each was judged by what had learned from neither it nor its recordings. */
  'modalities.covers': query<CoverFit[]>()(
    z.strictObject({ ...shared, limit: z.int().min(1).max(1000).default(100) }),
  ),
  'modalities.classes': query<SharedClass[]>()(z.strictObject(shared)),
  'modalities.remove': query<null>()(z.strictObject(shared)),
};
