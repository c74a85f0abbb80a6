/** Tracks: table, details, waveform, sound. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { EngineErrorData } from './errors.ts';
import type { ComputedBy } from './spaces.ts';
import type { SplitName } from './experiments.ts';
import { nameFieldNames, tagFieldNames, textFieldNames } from './search-fields.ts';
import { label, id, inLibrary } from './shared.ts';

/** UTF-16 units of a search: a path of the longest, with every mark of it escaped, and a field before it. */
export const MOST_SEARCHED = 9000;

/** Tags that rows tell the means of at most. */
export const MOST_TAGS = 32;
const tag = z.string().min(1).max(600);

export const trackQuerySchema = z.strictObject({
  ...inLibrary,
  taxonomyId: id.nullable().default(null),
  experimentId: id.nullable().default(null),
  /** In the language of `search-query.ts`. */
  search: z.string().max(MOST_SEARCHED).default(''),
  filter: z
    .strictObject({
      state: z.enum(['pending', 'ready', 'failed', 'missing']).optional(),
      /** Only tracks that were read with damage, or only others. */
      noted: z.boolean().optional(),
      label: label.optional(),
      predicted: label.optional(),
      errorsOnly: z.boolean().optional(),
      trackIds: z.array(id).max(100_000).optional(),
    })
    .default({}),
  sort: z
    .enum([
      'path',
      'title',
      'artist',
      'album',
      'genre',
      'year',
      'duration',
      'windows',
      'label',
      'prediction',
      'probability',
      'second',
      'margin',
      'split',
      'state',
      'notes',
      'tag',
    ])
    .default('path'),
  /** With `sort: 'tag'`: by the mean of which, as `tagName` writes it or by its short name. */
  sortTag: tag.nullable().default(null),
  /** Tags whose means the rows are to tell. */
  tags: z.array(tag).max(MOST_TAGS).default([]),
  descending: z.boolean().default(false),
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(1000).default(200),
});

export type TrackState = 'pending' | 'ready' | 'failed' | 'missing';

export interface Prediction {
  class: string;
  /** Softmax (single label) or sigmoid (multilabel) of the track logit, 0…1. */
  probability: number;
  /** The class that came second; null where there is but one, and for predictions that an earlier version stored. */
  second: { class: string; probability: number } | null;
  /**
   * Every label at or above its threshold, the most probable first; null for a single-label experiment, and for predictions
   * that an earlier version stored.
   */
  labels: { label: string; probability: number }[] | null;
  /**
   * Whether the predicted class is the label, or exactly all labels were predicted that the track bears and the experiment
   * has learned; null where that is not judged: the track has no label, its label was not learned, the taxonomy asked for
   * is not the experiment’s, or `labels` are not known.
   */
  correct: boolean | null;
  /** Multilabel: labels of the track that were not predicted; empty where nothing is judged. */
  missing: string[];
  /** Multilabel: predicted labels that the track does not bear; empty where nothing is judged. */
  extra: string[];
  split: SplitName | null;
}

export interface TrackRow {
  id: string;
  /** Path relative to its library folder, with forward slashes. */
  path: string;
  title: string;
  artist: string | null;
  album: string | null;
  genre: string[];
  year: number | null;
  format: string | null;
  durationSeconds: number | null;
  windowCount: number;
  state: TrackState;
  /** Why a track failed; null when it did not. */
  problem: EngineErrorData | null;
  /** What was damaged in a file that could be read all the same; null when nothing was. */
  note: string | null;
  /** What a person noted; empty for nothing. */
  notes: string;
  /** Nothing is learned from it: a person left it out of training. */
  leftOut: boolean;
  /** Labels in the taxonomy asked for. */
  labels: string[];
  /** Of the experiment asked for. */
  prediction: Prediction | null;
  /** Means of the tags asked for, by the names they were asked by; none where nothing is kept of the track. */
  tags: Record<string, number>;
}

export interface TrackDetail extends TrackRow {
  absolutePath: string;
  contentHash: string | null;
  sampleRate: number | null;
  channels: number | null;
  bytes: number;
  bpm: number | null;
  musicalKey: string | null;
  comment: string | null;
  coverUrl: string | null;
  /** Other tracks with the same content. */
  duplicates: string[];
  windows: { index: number; startSeconds: number; durationSeconds: number }[];
  /** What its embeddings were computed with; null where it has none, or they are of a version that did not say. */
  computedBy: ComputedBy | null;
}

export interface Peaks {
  /** Interleaved minimum and maximum, −1…1. */
  values: Float32Array;
  perSecond: number;
  durationSeconds: number;
}

const trackNotesSchema = z.strictObject({ trackId: id, notes: z.string().max(10_000) });
export type TrackNotes = z.output<typeof trackNotesSchema>;

export interface TrackPage {
  total: number;
  tracks: TrackRow[];
}

/** Tracks that bear a tag, and how many different values it has among them. */
export interface TagGroups {
  tracks: number;
  groups: number;
}

export interface TrackGroups {
  /** All that are ready. */
  tracks: number;
  artist: TagGroups;
  album: TagGroups;
}

/** A value that a field of searches has, and how many tracks have it. */
export interface FieldValue {
  value: string;
  tracks: number;
}

export const tracksMethods = {
  'tracks.list': query<TrackPage>()(trackQuerySchema),
  'tracks.get': query<TrackDetail>()(
    z.strictObject({
      ...inLibrary,
      trackId: id,
      taxonomyId: id.nullable().default(null),
      experimentId: id.nullable().default(null),
    }),
  ),
  /** Reads what searches look through before there is one, for who is about to search; where that is known it costs nothing. */
  'tracks.prepareSearch': query<null>()(z.strictObject(inLibrary)),
  /** Values of a field of searches in which a text occurs, for completion: the most frequent first. */
  'tracks.values': query<FieldValue[]>()(
    z.strictObject({
      ...inLibrary,
      taxonomyId: id.nullable().default(null),
      experimentId: id.nullable().default(null),
      field: z.enum([...textFieldNames, ...nameFieldNames, ...tagFieldNames]),
      partial: z.string().max(400).default(''),
      limit: z.int().min(1).max(1000).default(12),
    }),
  ),
  /** Absolute paths of tracks, in the order given. */
  'tracks.paths': query<string[]>()(z.strictObject({ ...inLibrary, trackIds: z.array(id).min(1).max(1000) })),
  /** Leaves tracks out of training, or takes them in again; answers with those that this changed, which undo gives back. */
  'tracks.leaveOut': query<{ changed: string[] }>()(
    z.strictObject({ ...inLibrary, trackIds: z.array(id).min(1).max(100_000), leftOut: z.boolean() }),
  ),
  /** Notes tracks; answers with what was noted before, which undo gives back. */
  'tracks.setNotes': query<{ previous: TrackNotes[] }>()(
    z.strictObject({ ...inLibrary, changes: z.array(trackNotesSchema).min(1).max(100_000) }),
  ),
  /** How many tracks tags put into groups that a split could tear apart. */
  'tracks.groups': query<TrackGroups>()(z.strictObject(inLibrary)),
  /** URLs under which the window may show the pictures of tracks; those without one are left out. */
  'tracks.covers': query<{ trackId: string; url: string }[]>()(
    z.strictObject({ ...inLibrary, trackIds: z.array(id).min(1).max(1000) }),
  ),
  'tracks.peaks': query<Peaks | null>()(z.strictObject({ ...inLibrary, trackId: id })),
  /** URL under which the window may play the track; formats it cannot play are given as WAV. */
  'tracks.audioUrl': query<{ url: string }>()(z.strictObject({ ...inLibrary, trackId: id })),
};
