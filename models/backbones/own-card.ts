import * as z from 'zod';
import { CheckpointError } from '../checkpoint/errors.ts';
import { tokenChoices } from '../packs/network.ts';
import { isNonCommercial, termsId } from './essentia-card.ts';
import { melPresets, type MelPresetName } from './mel-presets.ts';
import type { NetworkCard, NetworkFrontEnd } from './network-card.ts';

const presetNames = Object.keys(melPresets) as [MelPresetName, ...MelPresetName[]];
const text = z.string().trim().min(1).max(4000);
const name = z.string().min(1).max(255);
const count = z.int().positive().max(1_000_000);
const finite = z.number().min(-1e6).max(1e6);

const compressionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('log'),
    base: z.enum(['e', '10']),
    gain: z.number().positive().max(1e9),
    offset: z.number().positive().max(1e6),
  }),
  z.strictObject({
    kind: z.literal('decibels'),
    floor: z.number().positive().max(1),
    range: z.number().positive().max(400),
  }),
]);

const melSchema = z
  .strictObject({
    sampleRate: count.min(4000).max(192_000),
    frame: count.min(16).max(8192),
    fft: count.min(16).max(8192).multipleOf(2),
    hop: count.max(8192),
    hann: z.enum(['symmetric', 'periodic']),
    spectrum: z.enum(['power', 'magnitude']),
    bands: count.max(512),
    lowHz: z.number().min(0),
    highHz: z.number().positive(),
    scale: z.enum(['slaney', 'htk']),
    sides: z.enum(['hz', 'mel']).default('hz'),
    weights: z.enum(['area', 'peak']),
    compression: compressionSchema,
    shift: finite.default(0),
    divisor: finite.default(1),
    edges: z.enum(['zeros', 'reflect', 'none']),
  })
  .refine(({ frame, fft }) => fft >= frame, 'fft must not be smaller than frame')
  .refine(({ lowHz, highHz, sampleRate }) => lowHz < highHz && highHz <= sampleRate / 2, {
    message: 'highHz must lie between lowHz and half the sample rate',
  })
  .refine(({ divisor }) => divisor !== 0, 'divisor must not be 0');

/** The JSON that makes any network a pack: `archetone.network/1`. */
export const ownSchema = z.strictObject({
  schema: z.literal('archetone.network/1'),
  name,
  title: text.max(200).optional(),
  licence: z
    .strictObject({ name: text, url: z.url().optional(), nonCommercial: z.boolean().optional() })
    .optional(),
  attribution: text.optional(),
  trainedOn: text.optional(),
  frontEnd: z.union([
    z.enum(presetNames),
    z.strictObject({ waveform: count.min(4000).max(192_000) }),
    melSchema,
  ]),
  patch: count.optional(),
  hop: count.optional(),
  input: name,
  embedding: z.strictObject({
    output: name,
    /** Behind the batch, where the graph does not say. */
    shape: z.array(count.nullable()).min(1).max(5).optional(),
    tokens: z.enum(tokenChoices).optional(),
  }),
  tags: z.strictObject({ output: name, classes: z.array(z.string().max(255)).min(1).max(10_000) }).optional(),
});

export function ownCard(json: z.output<typeof ownSchema>): NetworkCard {
  const { embedding, tags, licence } = json;
  const preset = typeof json.frontEnd === 'string' ? melPresets[json.frontEnd] : null;
  const said = licence?.name ?? 'none is stated in its JSON; ask its maker before you share it';
  return {
    kind: 'JSON of Archetone',
    name: json.name,
    title: json.title ?? json.name,
    frontEnd: frontEndOf(json.frontEnd),
    patch: json.patch ?? preset?.patch ?? null,
    hop: json.hop ?? (json.patch === undefined ? (preset?.hop ?? null) : null),
    input: json.input,
    inputShape: null,
    embeddings: [{ output: embedding.output, shape: embedding.shape ? [null, ...embedding.shape] : null }],
    tokens: embedding.tokens ?? null,
    tags: tags ?? null,
    terms: {
      id: termsId('network', json.name, said),
      subject: json.title ?? json.name,
      licence: said,
      url: licence?.url ?? 'its maker',
      nonCommercial: licence?.nonCommercial ?? isNonCommercial(said),
      attribution: json.attribution ?? json.name,
    },
    trained: json.trainedOn ?? '',
    notes: [],
  };
}

function frontEndOf(frontEnd: z.output<typeof ownSchema>['frontEnd']): NetworkFrontEnd {
  if (typeof frontEnd === 'string') return { mel: melPresets[frontEnd].mel };
  return 'waveform' in frontEnd ? { waveform: frontEnd.waveform } : { mel: frontEnd };
}

/** @throws CheckpointError `bad-config` with the first faults of a JSON */
export function readWith<T>(schema: z.ZodType<T>, json: unknown): T {
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const faults = read.error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw new CheckpointError(
    'bad-config',
    `the JSON beside the network does not fit: ${faults.join('; ')}`,
    'Correct it as “Bringing the official models” says.',
  );
}
