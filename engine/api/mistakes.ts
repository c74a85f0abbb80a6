/** Labels that are probably wrong, and what is decided about them. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { EngineErrorData } from './errors.ts';
import { id, inLibrary, label, path, seed, type Started } from './shared.ts';
import type { SpaceInfo } from './spaces.ts';
import type { TrackRow } from './tracks.ts';

/**
 * Lists of a report: labels that are probably wrong; tracks that lack a label; copies of one recording; tracks that are
 * like nothing else; files that are silent or were read with damage; tracks of which the networks are unsure, whose label
 * would teach most; and tracks of classes that nothing can be said of.
 */
export const mistakeTabs = [
  'likely-wrong',
  'label-missing',
  'near-duplicates',
  'outliers',
  'damaged',
  'unsure',
  'left-out',
] as const;
export type MistakeTab = (typeof mistakeTabs)[number];

/** In which order the unsure ones come: least margin first, farthest from what is labelled, or class by class. */
export const queueOrders = ['margin', 'diversity', 'per-class'] as const;

/** One thing that is asked of a person. */
export interface Mistake {
  /** Holds as long as the report. */
  id: string;
  tab: MistakeTab;
  track: TrackRow;
  /** The label in question; null where one is missing, and where it is not about a label. */
  given: string | null;
  /** What to put in its place; null: nothing. */
  suggested: string | null;
  /** −1 … 1: how clearly the given label stands above the suggested one; null where it is not about a label. */
  margin: number | null;
  /** Probability of the label in question, from a network that did not learn from this track; 0 … 1. */
  confidence: number | null;
  /** The ten nearest labelled tracks of other groups, nearest first. */
  neighbours: { trackId: string; labels: string[]; agrees: boolean }[];
  /** Which fold held the track out; null where none did. */
  fold: number | null;
  /** Nearest track that bears the given label, and the suggested one. */
  nearestGiven: string | null;
  nearestSuggested: string | null;
  /** The other tracks of a group of copies. */
  others: TrackRow[];
  /** One of the first few hundred in the order that was asked for, whose labels would teach most. */
  queued: boolean;
  /** Why it is listed, in words. */
  reason: string;
}

/** What was decided of a mistake. */
export interface MistakeDecision {
  id: number;
  trackId: string;
  path: string;
  tab: MistakeTab;
  given: string | null;
  suggested: string | null;
  /** `accept`: the suggestion was taken; `keep`: it is right as it is, never to be asked again; `change`: other labels. */
  decision: 'accept' | 'keep' | 'change' | 'skip';
  before: string[];
  after: string[];
  decidedAt: string;
}

/** What a run found, and what is left of it. */
export interface MistakesReport {
  id: string;
  taxonomyId: string;
  space: SpaceInfo;
  task: 'single' | 'multi';
  /** Parts that were predicted by networks that did not learn from them. */
  folds: number;
  /** Folds that were asked for; there are fewer where there are fewer groups. */
  askedFolds: number;
  groupBy: 'track' | 'artist' | 'album' | 'folder';
  seed: number;
  createdAt: string;
  seconds: number;
  /** Labelled tracks that were judged, and their classes. */
  tracks: number;
  classes: number;
  /**
   * Share of judged tracks whose out-of-fold prediction is the given label (several labels: share of right decisions), 0 … 1;
   * null where nothing could be judged.
   */
  accuracy: number | null;
  /** The same of the report before, of the same taxonomy; its folds and grouping may have been others. */
  previousAccuracy: number | null;
  /** The accuracy of this run and those before it, oldest first: how it grows as labels are given and mended. */
  history: { createdAt: string; tracks: number; accuracy: number }[];
  /** Classes that too few tracks, or tracks of too few groups, bear to be judged. */
  leftOutClasses: { name: string; tracks: number; reason: string }[];
  /** Why no label could be judged; the lists that need no labels are there all the same. */
  problem: EngineErrorData | null;
  /** Per list: how many there were, and how many wait for a decision. */
  counts: Record<MistakeTab, { total: number; left: number }>;
  /** Decisions of this taxonomy that can be undone. */
  decisions: number;
  /** Labels or embeddings changed since. */
  stale: boolean;
}

const ofTaxonomy = { ...inLibrary, taxonomyId: id };

export const mistakesMethods = {
  /** Starts a job of kind `mistakes`. */
  'mistakes.compute': query<Started>()(
    z.strictObject({
      ...ofTaxonomy,
      folds: z.int().min(2).max(20).default(5),
      groupBy: z.enum(['track', 'artist', 'album', 'folder']).default('artist'),
      seed: seed.default(1),
    }),
  ),
  /** The newest report of a taxonomy in the library's current space; null where there is none. */
  'mistakes.report': query<MistakesReport | null>()(z.strictObject(ofTaxonomy)),
  /** What is left to decide, worst first. */
  'mistakes.list': query<{ total: number; mistakes: Mistake[] }>()(
    z.strictObject({
      ...ofTaxonomy,
      tab: z.enum(mistakeTabs),
      order: z.enum(queueOrders).default('margin'),
      offset: z.int().min(0).default(0),
      limit: z.int().min(1).max(1000).default(200),
    }),
  ),
  /**
   * Decides: `accept` sets the suggested label, `keep` confirms what is given for good, `skip` puts it off until the next
   * run, `change` sets the labels that are told.
   */
  'mistakes.decide': query<MistakeDecision>()(
    z.strictObject({
      ...ofTaxonomy,
      mistakeId: z.string().min(1).max(500),
      decision: z.enum(['accept', 'keep', 'change', 'skip']),
      labels: z.array(label).max(1000).default([]),
    }),
  ),
  /** Takes the newest decision of a taxonomy back, labels included; null where there is none. */
  'mistakes.undo': query<MistakeDecision | null>()(z.strictObject(ofTaxonomy)),
  /** Oldest first. */
  'mistakes.decisions': query<MistakeDecision[]>()(z.strictObject(ofTaxonomy)),
  /** Writes a CSV file: the changes made here, or all labels in force, which a taxonomy can be made of again. */
  'mistakes.export': query<{ path: string; rows: number }>()(
    z.strictObject({ ...ofTaxonomy, what: z.enum(['changes', 'labels']), path }),
  ),
};
