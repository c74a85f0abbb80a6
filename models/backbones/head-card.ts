import * as z from 'zod';
import { CheckpointError } from '../checkpoint/errors.ts';
import { essentiaModel, essentiaTerms, isNonCommercial, termsId, trainedOn } from './essentia-card.ts';
import { readWith } from './own-card.ts';
import type { Terms } from './publishers.ts';

/** What the JSON beside a head says, whoever wrote it. */
export interface HeadCard {
  /** What kind of JSON it is, for people. */
  kind: string;
  name: string;
  title: string;
  /** The model whose embeddings it takes, as its maker calls it; null where the JSON does not say. */
  model: string | null;
  input: string;
  output: string;
  classes: string[];
  /** Of two classes of which one denies the other, the one that does not; null otherwise. */
  positive: string | null;
  terms: Terms;
  trained: string;
}

/** How Essentia runs a network that does not listen to sound but to embeddings. */
const HEAD_ALGORITHM = 'TensorflowPredict2D';
const OWN_SCHEMA = 'archetone.head/1';
const text = z.string().max(4000);
const nodeName = z.string().min(1).max(255);
const classNames = z.array(z.string().min(1).max(255)).min(1).max(10_000);

const essentiaSchema = essentiaModel.extend({
  classes: classNames,
  inference: z.object({
    algorithm: z.literal(HEAD_ALGORITHM),
    embedding_model: z.object({ model_name: text.optional(), algorithm: text.optional() }).optional(),
  }),
});

const ownSchema = z.strictObject({
  schema: z.literal(OWN_SCHEMA),
  name: nodeName,
  title: z.string().trim().min(1).max(200).optional(),
  licence: z
    .strictObject({ name: text.min(1), url: z.url().optional(), nonCommercial: z.boolean().optional() })
    .optional(),
  attribution: text.min(1).optional(),
  trainedOn: text.optional(),
  /** Id of the pack whose embeddings it takes. */
  model: z.string().min(1).max(255).optional(),
  input: nodeName,
  output: nodeName,
  classes: classNames,
  positive: z.string().max(255).optional(),
});

const algorithmSchema = z.object({ inference: z.object({ algorithm: z.string() }) });

/** Whether a JSON is that of a head rather than of a network that listens to sound. */
export function isHeadCard(json: unknown): boolean {
  if (typeof json === 'object' && json !== null && 'schema' in json && json.schema === OWN_SCHEMA)
    return true;
  return algorithmSchema.safeParse(json).data?.inference.algorithm === HEAD_ALGORITHM;
}

/**
 * Reads the JSON beside a head: Archetone's own, or Essentia's.
 * @throws CheckpointError `bad-config`
 */
export function headCard(json: unknown): HeadCard {
  const own = typeof json === 'object' && json !== null && 'schema' in json && json.schema === OWN_SCHEMA;
  const card = own ? fromOwn(readWith(ownSchema, json)) : fromEssentia(readWith(essentiaSchema, json));
  const twice = card.classes.find((name, i) => card.classes.indexOf(name) !== i);
  if (twice !== undefined)
    throw new CheckpointError(
      'bad-config',
      `its JSON names the class “${twice}” twice`,
      'Use the JSON that is published with this very file.',
    );
  return card;
}

function fromEssentia(json: z.output<typeof essentiaSchema>): HeadCard {
  const { name, classes, schema, inference } = json;
  const { embedding_model: model } = inference;
  const outputs = schema.outputs.filter(({ output_purpose: purpose = '' }) =>
    purpose.includes('predictions'),
  );
  // A file with one output need not say what it is for.
  const output = outputs[0] ?? (schema.outputs.length === 1 ? schema.outputs[0] : undefined);
  if (output === undefined)
    throw new CheckpointError(
      'bad-config',
      'its JSON does not say which output holds the predictions',
      'Use the JSON that is published with this very file.',
    );
  return {
    kind: 'Essentia’s JSON of a head',
    ...{ name, title: name, classes, positive: positiveOf(classes), output: output.name },
    model: model?.model_name ?? null,
    input: schema.inputs[0]?.name ?? '',
    terms: essentiaTerms(json, false),
    trained: trainedOn(json),
  };
}

function fromOwn(json: z.output<typeof ownSchema>): HeadCard {
  const { name, title = name, classes, positive, licence } = json;
  if (positive !== undefined && !classes.includes(positive))
    throw new CheckpointError(
      'bad-config',
      `the positive class “${positive}” is none of its classes`,
      'Correct the JSON beside the head.',
    );
  const said = licence?.name ?? 'none is stated in its JSON; ask its maker before you share it';
  return {
    kind: 'JSON of Archetone',
    ...{ name, title, classes, input: json.input, output: json.output, model: json.model ?? null },
    positive: positive ?? positiveOf(classes),
    terms: {
      id: termsId('head', name, said),
      ...{ subject: title, licence: said, url: licence?.url ?? 'its maker' },
      nonCommercial: licence?.nonCommercial ?? isNonCommercial(said),
      attribution: json.attribution ?? name,
    },
    trained: json.trainedOn ?? '',
  };
}

/**
 * Of two classes such as `happy` and `non_happy` the one that is not denied, wherever it stands: published heads have it
 * first as often as second. Null for any other classes.
 */
export function positiveOf(classes: readonly string[]): string | null {
  const denied = (name: string): string | null => /^(?:non|not|no)[\s_-]+(.+)$/i.exec(name)?.[1] ?? null;
  const [first, second, ...more] = classes;
  if (first === undefined || second === undefined || more.length > 0) return null;
  if (denied(second)?.toLowerCase() === first.toLowerCase()) return first;
  return denied(first)?.toLowerCase() === second.toLowerCase() ? second : null;
}
