import { createHash } from 'node:crypto';
import * as z from 'zod';
import { CheckpointError } from '../checkpoint/errors.ts';
import { melPresets, type MelPresetName } from './mel-presets.ts';
import type { NetworkCard } from './network-card.ts';
import type { Terms } from './publishers.ts';

const text = z.string().max(4000);
/** Sizes that are not known before a run have a name. */
const shape = z
  .array(z.union([z.number(), text]))
  .max(8)
  .optional();

/** What the JSON says that Essentia publishes beside each of its models, whatever it takes. */
export const essentiaModel = z.object({
  name: text.min(1),
  description: text.optional(),
  link: text.optional(),
  license: text.optional(),
  licence: text.optional(),
  citation: text.optional(),
  classes: z.array(z.string().max(255)).max(10_000).optional(),
  dataset: z.object({ name: text.optional(), size: text.optional() }).optional(),
  schema: z.object({
    inputs: z
      .array(z.object({ name: text.min(1), shape }))
      .min(1)
      .max(16),
    outputs: z
      .array(z.object({ name: text.min(1), shape, output_purpose: text.optional() }))
      .min(1)
      .max(64),
  }),
});

/** The JSON beside a model that listens to sound, as far as it is read. */
export const essentiaSchema = essentiaModel.extend({
  inference: z.object({ algorithm: text, sample_rate: z.number().optional() }),
});

/** The algorithms of Essentia that feed a network, and the front-end of each. */
const frontEnds: Readonly<Record<string, MelPresetName>> = {
  TensorflowPredictMusiCNN: 'musicnn',
  TensorflowPredictEffnetDiscogs: 'effnet-discogs',
  TensorflowPredictMAEST: 'maest',
  TensorflowPredictVGGish: 'vggish',
};

/** MAEST's seventh block says most about music, as its authors found. */
const MAEST_BLOCK = /_7$/;

/** @throws CheckpointError `bad-config` for a model whose front-end is another one */
export function essentiaCard(json: z.output<typeof essentiaSchema>): NetworkCard {
  const { name, classes = [], schema, inference } = json;
  const preset = Object.hasOwn(frontEnds, inference.algorithm) ? frontEnds[inference.algorithm] : undefined;
  if (preset === undefined) throw unknownAlgorithm(inference.algorithm);
  const { mel, patch, hop } = melPresets[preset];
  const rate = inference.sample_rate ?? mel.sampleRate;
  if (rate !== mel.sampleRate)
    throw new CheckpointError(
      'bad-config',
      `it asks for ${rate} Hz, but ${inference.algorithm} listens at ${mel.sampleRate} Hz`,
      'Use the JSON that is published with this very model.',
    );
  const sizes = (found: readonly (number | string)[] | undefined) =>
    found?.map((size) => (typeof size === 'number' && Number.isInteger(size) && size > 0 ? size : null)) ??
    null;
  const embeddings = schema.outputs
    .filter(({ output_purpose: purpose = '' }) => purpose.includes('embeddings'))
    .map((output) => ({ output: output.name, shape: sizes(output.shape) }))
    .sort((a, b) => Number(MAEST_BLOCK.test(b.output)) - Number(MAEST_BLOCK.test(a.output)));
  const predictions = schema.outputs.find(({ output_purpose: purpose = '' }) =>
    purpose.includes('predictions'),
  );
  const input = schema.inputs[0];
  return {
    kind: `Essentia’s JSON, ${inference.algorithm}`,
    name,
    title: name,
    frontEnd: { mel },
    patch: preset === 'maest' ? null : patch,
    hop: preset === 'maest' ? null : hop,
    input: input?.name ?? '',
    inputShape: sizes(input?.shape),
    embeddings,
    tokens: preset === 'maest' ? 'cls' : null,
    tags: predictions && classes.length > 0 ? { output: predictions.name, classes } : null,
    // The weights of VGGish are Google's, also where Essentia publishes them.
    terms: essentiaTerms(json, preset === 'vggish' && /audioset/i.test(name)),
    trained: trainedOn(json),
    notes: [],
  };
}

const PAGE = 'https://essentia.upf.edu/models.html';

/** What a model was made for and of, as its maker says. */
export function trainedOn({ description, dataset, citation }: z.output<typeof essentiaModel>): string {
  const size = dataset?.size ? ` (${dataset.size})` : '';
  return [description, dataset?.name && `Trained on ${dataset.name}${size}.`, citation]
    .filter(Boolean)
    .join(' ')
    .trim()
    .slice(0, 4000);
}

/**
 * What the file itself says counts; the page of the models says what holds for all of them.
 * @param google whether the weights are Google's
 */
export function essentiaTerms(
  { name, license, licence, link }: z.output<typeof essentiaModel>,
  google: boolean,
): Terms {
  // An empty one says nothing.
  const own = licence?.trim() || license?.trim();
  const said =
    own || (google ? 'Apache-2.0' : 'CC BY-NC-SA 4.0: no commercial use; other licences from MTG on request');
  return {
    id: termsId('essentia', name, said),
    subject: name,
    licence: said,
    url: PAGE,
    nonCommercial: isNonCommercial(said),
    attribution: `${google ? 'Google (VGGish, AudioSet)' : 'Music Technology Group, Universitat Pompeu Fabra (Essentia models)'}; ${link ?? name}`,
  };
}

/** Whoever accepted one licence of a network has not accepted another of the same network. */
export function termsId(kind: string, name: string, licence: string): string {
  const hash = createHash('sha256').update(licence).digest('hex').slice(0, 16);
  return `${kind}:${name.slice(0, 180)}:${hash}`;
}

/** Whether the name of a licence says that commercial use is forbidden. */
export function isNonCommercial(licence: string): boolean {
  return /\bnc\b|non-?\s?commercial|no commercial/i.test(licence);
}

function unknownAlgorithm(algorithm: string): CheckpointError {
  return new CheckpointError(
    'bad-config',
    algorithm === 'TensorflowPredict2D'
      ? 'it is the JSON of a head, which listens to the embeddings of another model'
      : `its front-end, ${algorithm}, is not one that Archetone has`,
    algorithm === 'TensorflowPredict2D'
      ? 'Add the model that its JSON names under “embedding_model”.'
      : `Front-ends are there for ${Object.keys(frontEnds).join(', ')}; another one can be written out in a JSON of Archetone’s own.`,
  );
}
