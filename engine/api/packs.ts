/** Packs, how others come and go, and where computing happens. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, path, nothing } from './shared.ts';
import type { Started } from './shared.ts';

const packOriginSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('files'), paths: z.array(path).min(1).max(8) }),
  z.strictObject({ kind: z.literal('hub'), id: z.string().min(1).max(512) }),
]);

const packChoicesSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'a pack is named with small letters, digits, - and _')
    .optional(),
  title: z.string().trim().min(1).max(200).optional(),
  windowSeconds: z.number().min(0.1).max(60).optional(),
  encoderHeads: z.int().min(1).max(256).optional(),
  heads: z.int().min(1).max(256).optional(),
  /** Of the weights of encoder and denoiser; what the reduced ones change is measured and stands on the pack's card. */
  precision: z.enum(['float32', 'float16', 'int8']).default('float32'),
  /** Output of a published network that is the embedding; otherwise its JSON decides. */
  output: z.string().min(1).max(255).optional(),
  /** What is made of an output with several rows for a patch: their mean, the first, the second, or all three. */
  tokens: z.enum(['mean', 'cls', 'dist', 'stack']).optional(),
  /** Patch-out: of the times of a transformer's patches every so many-th is kept; 1 only takes out what is not read. */
  keepEvery: z.int().min(1).max(64).optional(),
  /** Frames from one patch of a published network to the next. */
  patchHop: z.int().min(1).max(1_000_000).optional(),
  /** The pack whose embeddings a head takes; otherwise its JSON decides, or there is only one. */
  headOf: id.optional(),
});

export const packAdditionSchema = z.strictObject({
  origin: packOriginSchema,
  choices: packChoicesSchema.prefault({}),
  accepted: z.array(z.string().max(512)).max(32).default([]),
});

/** A network behind the embeddings of a pack, which says of each patch how much it belongs to each class. */
export interface HeadInfo {
  id: string;
  title: string;
  classes: string[];
  /** Of two classes of which one denies the other, the one that does not; null otherwise. */
  positive: string | null;
  licence: string;
  nonCommercial: boolean;
  attribution: string;
  trainingStatement: string;
  folder: string;
  sha256: string;
}

export interface PackInfo {
  id: string;
  version: string;
  title: string;
  kind: 'generative' | 'embedding-only';
  licence: string;
  /** The licence forbids commercial use. */
  nonCommercial: boolean;
  attribution: string;
  folder: string;
  sha256: string;
  bytes: number;
  sampleRate: number;
  windowSeconds: number;
  embeddingDim: number;
  sampler: { steps: number; guidance: number } | null;
  trainingStatement: string;
  /** Measured figures of the quality card, flattened to name and value. */
  quality: { name: string; value: number | string }[];
  embedded: boolean;
  /** A projection that was learned from the playlists of a library. */
  learned: boolean;
  /** What it names beside its embeddings: a number for each, of every patch; empty for packs without tags. */
  tags: string[];
  /** Networks that were added behind its embeddings. */
  heads: HeadInfo[];
  /** Why an embedding-only pack makes no sound; null for generative packs. */
  soundless: string | null;
  /** Files that the pack was converted from. */
  sources: { file: string; sha256: string; bytes: number; url: string | null }[];
}

/** Where a new pack comes from: files on this machine, or a model of the hub, which is downloaded. */
export type PackOrigin = z.output<typeof packOriginSchema>;

/** What the weights of a model do not tell, said by the person; left out, configuration and defaults decide. */
export type PackChoices = z.input<typeof packChoicesSchema>;

/** How the weights of encoder and denoiser are kept; `float32` is what was published. */
export type PackPrecision = NonNullable<PackChoices['precision']>;

/** Terms under which a model was published; they must be accepted before it is added. */
export interface PackTerms {
  id: string;
  subject: string;
  licence: string;
  url: string;
  /** It forbids commercial use. */
  nonCommercial: boolean;
}

/** What adding a pack would do. */
export interface PackProposal {
  /** Each with the model it was recognised as; null where that shows only after the download. */
  files: { name: string; model: string | null }[];
  terms: PackTerms[];
  /** Assumptions and warnings, a sentence each. */
  notes: string[];
  /** Null where nothing is downloaded, or a server does not say. */
  downloadBytes: number | null;
  /** The pack to be; null where that shows only after the download. */
  pack: {
    id: string;
    title: string;
    kind: PackInfo['kind'];
    windowSeconds: number;
    embeddingDim: number;
    soundless: string | null;
  } | null;
  /** The head to be; null where it is a pack. */
  head: {
    id: string;
    title: string;
    classes: string[];
    positive: string | null;
    embeddingDim: number;
    /** The pack that it will belong to: the one that was chosen, or named by its JSON, else the first that fits. */
    packId: string;
    /** All packs whose embeddings have as many numbers. */
    candidates: { id: string; title: string }[];
  } | null;
}

/** A model of the hub that can be asked for by a short name. */
export interface HubModelInfo {
  id: string;
  title: string;
}

export interface ProviderInfo {
  provider: string;
  available: boolean;
  correct: boolean | null;
  maxAbsDifference: number | null;
  windowsPerSecond: number | null;
  chosen: boolean;
  message: string;
  /** Of the one in use: how many windows an import embeds at a time, once that was measured. */
  batch: BatchInfo | null;
}

/** How many windows at a time are embedded fastest. */
export interface BatchInfo {
  size: number;
  /** By size; measured at the first import. */
  windowsPerSecond: Record<string, number>;
}

export type PackVerification = {
  packId: string;
  ok: boolean;
  problems: { file: string; message: string; hint: string }[];
};

/** What a pack was trained on, by the data card that it brings. */
export interface TrainingData {
  hours: number;
  /** Longest first. */
  licences: { licence: string; hours: number; files: number }[];
  /** Hours under the GPL and its relatives. */
  generalPublicHours: number;
  /** What that means for the licence of the weights, as one sentence; null where nothing is under the GPL. */
  notice: string | null;
  /** What an attribution has to name. */
  sources: { package: string; version: string; licence: string; files: number; copyright: string[] }[];
}

/** A folder that looks like a pack but cannot be used. */
export interface PackProblem {
  folder: string;
  message: string;
  hint: string;
}

export const packsMethods = {
  'packs.list': query<PackInfo[]>()(nothing),
  /** What a pack was trained on, by licence and source; null where it does not say. */
  'packs.trainingData': query<TrainingData | null>()(z.strictObject({ packId: id })),
  /** Folders among the packs that cannot be used, and why. */
  'packs.problems': query<PackProblem[]>()(nothing),
  'packs.verify': query<Started>()(z.strictObject({ packId: id })),
  /** Models of the hub that have a short name. */
  'packs.hub': query<HubModelInfo[]>()(nothing),
  /** Says what a pack from these files, or this model of the hub, would be; writes nothing. */
  'packs.inspect': query<PackProposal>()(
    z.strictObject({ origin: packOriginSchema, choices: packChoicesSchema.prefault({}) }),
  ),
  /** Downloads what is to be downloaded and converts it; `accepted` names the terms that the person accepts. */
  'packs.add': query<Started>()(packAdditionSchema),
  /** Deletes the files of a pack that was added. What was computed with it stays. */
  'packs.remove': query<null>()(z.strictObject({ packId: id })),
  /** Deletes the files of a head. */
  'packs.removeHead': query<null>()(z.strictObject({ packId: id, headId: id })),
  'providers.check': query<Started>()(z.strictObject({ packId: id.default('compact') })),
  'providers.list': query<ProviderInfo[]>()(nothing),
};
