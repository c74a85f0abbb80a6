/** The prototypes of an experiment, and edits of them; every edit is a revision that can be undone. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { Experiment } from './experiments.ts';
import { vectorRefSchema, type WindowRef } from './neighbours.ts';
import { label, id, inLibrary, distinct, seed } from './shared.ts';
import type { Started } from './shared.ts';
import type { Sonification } from './sonify.ts';

const index = z.int().min(0);
const name = z.string().trim().max(100);
/** Prototypes that an edit touches at once. */
const MOST_MERGED = 1000;

/** A vector of the embedding space that becomes a prototype: anything that has one, or the mean of some tracks. */
export const prototypeSourceSchema = z.discriminatedUnion('kind', [
  ...vectorRefSchema.options,
  z.strictObject({
    kind: z.literal('mean'),
    trackIds: z.array(id).min(1).max(100_000).refine(distinct, 'a track twice'),
  }),
]);

export type PrototypeSource = z.output<typeof prototypeSourceSchema>;

/**
 * A change of an experiment's prototypes; places are those of the revision that is edited. Windows and tracks are seen in the
 * space of the view that is edited; windows are numbered as that space has them.
 */
export const prototypeEditSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('add'),
    class: label,
    vector: prototypeSourceSchema,
    name: name.optional(),
    /** Of an experiment of several views: which one it is added to, counted from 0. */
    view: z.int().min(0).max(99).optional(),
  }),
  z.strictObject({ kind: z.literal('remove'), index }),
  z.strictObject({ kind: z.literal('move'), index, vector: prototypeSourceSchema }),
  /** Prototypes of one class become one in their middle. */
  z.strictObject({
    kind: z.literal('merge'),
    indices: z.array(index).min(2).max(MOST_MERGED).refine(distinct, 'a prototype twice'),
  }),
  /** A prototype becomes two, at the centres of the two halves of the training windows nearest to it. */
  z.strictObject({ kind: z.literal('split'), index }),
  /** An empty name takes it away. */
  z.strictObject({ kind: z.literal('rename'), index, name }),
  /** Frozen prototypes keep their place and weights when the rest is retrained. */
  z.strictObject({
    kind: z.literal('freeze'),
    indices: z.array(index).min(1).max(MOST_MERGED).refine(distinct, 'a prototype twice'),
    frozen: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('reassign'), index, class: label }),
  z.strictObject({ kind: z.literal('weight'), index, class: label, value: z.number().min(-1000).max(1000) }),
]);

export type PrototypeEdit = z.output<typeof prototypeEditSchema>;

/** Weights that a listed prototype tells. */
export const MOST_LISTED_WEIGHTS = 16;

export interface PrototypeInfo {
  /** Counted through all views. */
  index: number;
  /** Place of the view that it is of; null in an experiment of one space. */
  view: number | null;
  class: string;
  /** What a person called it; empty where nobody did. */
  name: string;
  /** Keeps its place and weights when the rest is retrained. */
  frozen: boolean;
  /** Training windows whose nearest prototype this is. */
  support: number;
  /** Share of those windows that carry this prototype's class, 0…1; null when support is 0. */
  purity: number | null;
  /** Weight towards its own class; of several views that of their joint head. */
  weight: number;
  /**
   * The largest weights by size, largest first, `class` being a place in `Experiment.classes`: all of them up to
   * {@link MOST_LISTED_WEIGHTS} classes. With a thousand classes, all weights of all prototypes are many megabytes.
   */
  weights: { class: number; weight: number }[];
  nearest: WindowRef[];
  /** The prototype that lies nearest, and the distance to it in the embedding space; null where there is no other. */
  twin: { index: number; distance: number } | null;
  sonification: Sonification | null;
}

/** A track that another class, or other labels, would be predicted for. */
export interface Flip {
  trackId: string;
  title: string;
  path: string;
  /** Labels it bears in the experiment; empty where it has no part in it. */
  truth: string[];
  before: string[];
  after: string[];
  /** Whether the prediction becomes right or wrong; null where it stays one of the two, or nothing is known. */
  becomes: 'right' | 'wrong' | null;
}

/** What a figure was and would be. */
export interface Change {
  before: number;
  after: number;
}

/** What an edit would do, before it is done. */
export interface EditPreview {
  /** What it does, in words. */
  change: string;
  /** The revision that would be edited. */
  revision: number;
  /** On the validation part, since edits are chosen by it; on the test part, then on the training part, where that is empty. */
  split: string;
  accuracy: Change;
  balancedAccuracy: Change;
  macroF1: Change;
  /** Classes whose F1 would change, by how much. */
  perClass: ({ class: string } & Change)[];
  /** Tracks whose prediction would change. */
  flipped: number;
  /** The first of these, those that become wrong first, then those that become right. */
  flips: Flip[];
}

/** A revision of an experiment, which can be gone back to. */
export interface RevisionInfo {
  revision: number;
  /** What made it, in words. */
  change: string;
  /** What a person called it; empty where nobody did. */
  name: string;
  /** Of the test part; null where there is none. */
  accuracy: number | null;
  balancedAccuracy: number | null;
  createdAt: string;
}

export interface RevisionLog {
  /** All there are, oldest first. */
  revisions: RevisionInfo[];
  current: number;
  /** What undo goes back to, and redo forward to; null where there is nothing. */
  undo: number | null;
  redo: number | null;
}

/** A point of a class map: a prototype, or a training window with its label. */
export type ClassMapPoint = { class: string; x: number; y: number } & (
  | { kind: 'prototype'; index: number }
  | { kind: 'window'; trackId: string; windowIndex: number; startSeconds: number }
);

/** A class among those it is confused with most. */
export interface ClassMap {
  class: string;
  /** At most three, those it shares most windows with first. */
  rivals: string[];
  /** Share of the training windows of the class that are nearest to one of its own prototypes; null where it has none. */
  coverage: number | null;
  points: ClassMapPoint[];
}

/** A model: a revision of an experiment. */
export interface ModelRef {
  experimentId: string;
  /** Default: the present one. */
  revision?: number | undefined;
}

export interface ComparedModel {
  experimentId: string;
  revision: number;
  name: string;
  /** What made the revision, in words. */
  change: string;
  classes: string[];
  /** How many. */
  prototypes: number;
  /** Of its own test part; null where there is none. */
  accuracy: number | null;
  balancedAccuracy: number | null;
}

export interface ComparedPrototype {
  index: number;
  class: string;
  name: string;
  /** Towards its own class. */
  weight: number;
}

/** A prototype of one model and what became of it in the other. */
export interface PrototypePair {
  kind: 'same' | 'changed' | 'only-first' | 'only-second';
  first: ComparedPrototype | null;
  second: ComparedPrototype | null;
  /** Euclidean, in the embedding space; null for one that stays alone. */
  distance: number | null;
  /** In words: “moved by 0.31 (12 % of reach), weight 1.20 → 1.34”. */
  change: string;
}

export interface ModelComparison {
  first: ComparedModel;
  second: ComparedModel;
  /** Prototypes further apart are not taken for the same; null where each model has only one. */
  reach: number | null;
  /** By class, in the order of the first model's. */
  pairs: PrototypePair[];
  /** What changed as a whole, a sentence each. */
  words: string[];
}

const modelRef = z.strictObject({ experimentId: id, revision: z.int().min(1).optional() });

const ofExperiment = { ...inLibrary, experimentId: id };
const edited = {
  ...ofExperiment,
  /** The revision that was looked at: refused as `busy` when it is not the present one any more. */
  revision: z.int().min(1).optional(),
  edit: prototypeEditSchema,
};

export const prototypesMethods = {
  'prototypes.list': query<PrototypeInfo[]>()(z.strictObject(ofExperiment)),
  /** Weight of a prototype towards every class, in the order of `Experiment.classes`. @throws `busy` as an edit */
  'prototypes.weights': query<number[]>()(
    z.strictObject({ ...ofExperiment, revision: z.int().min(1).optional(), index }),
  ),
  'prototypes.classMap': query<ClassMap>()(
    z.strictObject({
      ...ofExperiment,
      class: label,
      /** Of an experiment of several views: the one that is shown. */
      view: z.int().min(0).max(99).default(0),
    }),
  ),
  /** Makes an edit: a new revision of the experiment, re-scored; `prototypes.undo` goes back. */
  'prototypes.edit': query<Experiment>()(z.strictObject(edited)),
  /** What an edit would do; nothing is changed. */
  'prototypes.preview': query<EditPreview>()(z.strictObject(edited)),
  /** Works out ahead what every preview of the present revision starts from; where that is known it costs nothing. */
  'prototypes.prepare': query<null>()(z.strictObject(ofExperiment)),
  /** Makes an edit of a copy: a new experiment, and the edited one stays as it is. */
  'prototypes.keep': query<Experiment>()(z.strictObject(edited)),
  /**
   * Trains the present revision further on its own training part: a new revision. Prototypes that are frozen, and those
   * named here, which are frozen from then on, keep their place and weights to the bit. Where the experiment was edited
   * meanwhile, the result becomes an experiment of its own.
   */
  'prototypes.retrain': query<Started>()(
    z.strictObject({
      ...ofExperiment,
      revision: z.int().min(1).optional(),
      freeze: z.array(index).max(100_000).refine(distinct, 'a prototype twice').default([]),
      /** Default: as many as it was trained with. */
      steps: z.int().min(1).max(200_000).optional(),
      seed: seed.optional(),
    }),
  ),
  /** Goes back one step of the history. @throws `not-found` at its beginning */
  'prototypes.undo': query<Experiment>()(z.strictObject(ofExperiment)),
  'prototypes.redo': query<Experiment>()(z.strictObject(ofExperiment)),
  /** Goes to a revision, as a step of the history. */
  'prototypes.restore': query<Experiment>()(z.strictObject({ ...ofExperiment, revision: z.int().min(1) })),
  /** Two experiments or revisions prototype by prototype. @throws `other-space` where they cannot be compared */
  'prototypes.compare': query<ModelComparison>()(
    z.strictObject({ ...inLibrary, first: modelRef, second: modelRef }),
  ),
  'prototypes.log': query<RevisionLog>()(z.strictObject(ofExperiment)),
  'prototypes.nameRevision': query<null>()(
    z.strictObject({ ...ofExperiment, revision: z.int().min(1), name }),
  ),
};
