import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { CheckpointError } from '../checkpoint/index.ts';
import { headManifestSchema, type HeadManifest } from '../packs/index.ts';
import type { HeadFiles } from './network-files.ts';
import { find, idOf, misfit } from './network-plan.ts';

/** The pack whose embeddings a head is to take. */
interface Around {
  id: string;
  embeddingDim: number;
}

/** A head that was read, with what its graph says. */
export interface HeadPlan {
  id: string;
  /** Numbers of an embedding that it takes. */
  embeddingDim: number;
  batch: number | null;
  input: string;
  output: string;
}

/**
 * Reads off a graph what a head takes and gives, and holds it against its JSON.
 * @throws CheckpointError `missing-tensor`, `shape` where the two contradict each other
 */
export function planHead({ model: { name, graph }, card }: HeadFiles, id?: string): HeadPlan {
  const input = find(name, 'input', graph.inputs, card.input);
  const output = find(name, 'output', graph.outputs, card.output);
  if (graph.inputs.length > 1) throw misfit(`${name} has ${graph.inputs.length} inputs; a head takes one`);
  const [batch = null, dim = null, ...more] = input.dims ?? [];
  if (dim === null || more.length > 0)
    throw misfit(
      `${name} takes [${(input.dims ?? []).map((size) => size ?? '?').join(', ')}]; a head takes rows of embeddings, [?, D]`,
    );
  const size = output.dims?.at(-1) ?? null;
  if (output.dims && (output.dims.length !== 2 || (size !== null && size !== card.classes.length)))
    throw misfit(
      `the output ${output.name} of ${name} has ${size ?? '?'} numbers for each patch, the JSON beside it ${card.classes.length} classes`,
    );
  return { id: id ?? idOf(card.name), embeddingDim: dim, batch, input: input.name, output: output.name };
}

/** @throws CheckpointError `shape` where the pack gives other embeddings than the head takes */
export function requireFit(plan: HeadPlan, { id, embeddingDim }: Around): void {
  if (plan.embeddingDim === embeddingDim) return;
  throw new CheckpointError(
    'shape',
    `the head takes embeddings of ${plan.embeddingDim} numbers, the pack ${id} gives ${embeddingDim}`,
    'Choose the pack of the model that the head was trained on, with the output and the tokens that it was trained on.',
  );
}

/** What stands in the folder of a head beside its graph, which is the file as it was published. */
export function headManifest(
  { model, card }: HeadFiles,
  plan: HeadPlan,
  packId: string,
  sources: HeadManifest['sources'],
): HeadManifest {
  const { batch, ...about } = plan;
  return headManifestSchema.parse({
    schema: 'archetone.pack-head/1',
    ...about,
    ...(batch === null ? {} : { batch }),
    ...{ packId, title: card.title.slice(0, 200), classes: card.classes, positive: card.positive },
    licence: card.terms.licence,
    nonCommercial: card.terms.nonCommercial === true,
    attribution: `${card.terms.attribution} ${card.terms.url}`,
    trainingData: { statement: card.trained },
    graph: {
      file: 'head.onnx',
      sha256: createHash('sha256').update(model.onnx).digest('hex'),
      bytes: model.onnx.length,
    },
    sources,
  });
}

/** Files of a head as its card names them. */
export const headFileNames = ({ files }: HeadFiles): { name: string; model: string }[] =>
  files.map(({ path, what }) => ({ name: basename(path), model: what }));
