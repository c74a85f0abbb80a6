import { stringify } from 'yaml';
import { PackError, type LayerChoice } from '../../models/packs/index.ts';
import { formDeformations, type EvaluationTask } from '../api/evaluations.ts';
import { EngineError } from '../api/errors.ts';
import type { ParsedInput } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { blockChoices } from './layers.ts';
import { OWN_VECTORS } from './yaml-data-sets.ts';

type Form = ParsedInput<'evaluations.compose'>;

const taskTypes: Readonly<Record<EvaluationTask, string>> = {
  single: 'multiclass_classification',
  multi: 'multilabel_classification',
  key: 'key_estimation',
  regression: 'regression',
  mir: 'mir_targets',
};

/** The probes of a form as a file says them. */
const probes: Readonly<Record<Exclude<Form['probes'][number], 'head'>, Record<string, unknown>>> = {
  knn: { type: 'knn', k: 5 },
  mlknn: { type: 'mlknn', k: 10 },
  linear: { type: 'linear' },
  classifier: { type: 'classifier', hidden_units: ['infer'] },
  prototypes: { type: 'prototypes' },
  ridge: { type: 'ridge' },
};

/** Names of the parameters of a deformation with one value. */
const parameters: Readonly<Record<(typeof formDeformations)[number]['type'], readonly [string, string]>> = {
  AddGaussianSNR: ['min_snr_in_db', 'max_snr_in_db'],
  Gain: ['min_gain_in_db', 'max_gain_in_db'],
  ClippingDistortion: ['min_percentile_threshold', 'max_percentile_threshold'],
  Mp3Compression: ['min_bitrate', 'max_bitrate'],
  PitchShift: ['min_semitones', 'max_semitones'],
};

/**
 * The file that a form stands for.
 * @throws EngineError `not-found` for a library or taxonomy that is not there; `bad-input` where a task has no labels
 */
export async function composeEvaluation({ libraries, packs }: EngineContext, form: Form): Promise<string> {
  const deformations = form.deformations.map(({ type, value }) => [
    { type, params: Object.fromEntries(parameters[type].map((name) => [name, value])) },
  ]);
  const dataset = datasetOf(libraries, form.dataset);
  const spaces = form.layers ? await withLayers(packs, form.spaces) : form.spaces;
  const sounds = [form.dataset, ...(form.testOn ? [form.testOn.sounds] : [])];
  if (form.task !== 'mir' && sounds.some((one) => one.kind === 'library' && one.taxonomyId === null))
    throw new EngineError('bad-input', 'Nobody said whose labels are learned.', 'Choose a taxonomy.');
  return stringify(
    {
      experiments: [
        {
          task: { name: form.name, type: taskTypes[form.task], feature_aggregation: 'mean' },
          datasets: [
            {
              ...dataset,
              ...(deformations.length > 0 ? { deformations } : {}),
              ...(form.testOn && { test_on: testedOn(libraries, form.testOn) }),
            },
          ],
          features: form.dataset.kind === 'file' ? [OWN_VECTORS] : spaces,
          probes: form.probes.flatMap((probe) =>
            probe === 'head' ? headsOf(packs, form.spaces) : [probes[probe]],
          ),
          seeds: form.seeds,
          split: { kind: 'folds', folds: form.folds },
          ...(form.groupBy === 'track' ? {} : { group_by: form.groupBy }),
          ...(form.groups ? { groups: true } : {}),
          windows: form.windows,
        },
      ],
    },
    // Strings of names as they are, whatever their length.
    { lineWidth: 0 },
  );
}

/** Spaces with the blocks of their networks before them; those of formulas have none. */
async function withLayers(
  packs: EngineContext['packs'],
  spaces: readonly string[],
): Promise<(string | { pack: string; layer: LayerChoice })[]> {
  const found: (string | { pack: string; layer: LayerChoice })[] = [];
  for (const pack of spaces) {
    const layers = await packs.layers(pack).catch((thrown: unknown) => {
      if (thrown instanceof PackError) return [];
      throw thrown;
    });
    found.push(...blockChoices(layers).map((layer) => ({ pack, layer })), pack);
  }
  return found;
}

/** Every head of the spaces, and their own tags, once each; the run says which spaces have not all of them. */
function headsOf(packs: EngineContext['packs'], spaces: readonly string[]): Record<string, unknown>[] {
  const own = spaces.some((id) => packs.find(id)?.manifest.network?.tags);
  const names = new Set(spaces.flatMap((id) => packs.heads.of(id).map(({ manifest }) => manifest.id)));
  const found = [...(own ? [{ type: 'head' }] : []), ...[...names].map((name) => ({ type: 'head', name }))];
  if (found.length > 0) return found;
  throw new EngineError(
    'bad-input',
    'None of the chosen spaces has a head.',
    'Add one to its pack in Packs, or choose other probes.',
  );
}

function testedOn(
  libraries: EngineContext['libraries'],
  { sounds, mapping }: NonNullable<Form['testOn']>,
): Record<string, unknown> {
  const named = Object.keys(mapping).length > 0;
  return { ...datasetOf(libraries, sounds), ...(named ? { mapping } : {}) };
}

function datasetOf(libraries: EngineContext['libraries'], dataset: Form['dataset']): Record<string, unknown> {
  if (dataset.kind === 'file') {
    const { name, labels } = dataset;
    return { name, type: 'file', file: name, ...(labels && { label_columns: labels }) };
  }
  if (dataset.kind !== 'library') return { name: dataset.name, type: dataset.kind, dir: dataset.name };
  const { name, id } = libraries.get(dataset.libraryId).summary();
  const { taxonomyId } = dataset;
  const taxonomy = taxonomyId === null ? null : libraries.get(dataset.libraryId).taxonomies.get(taxonomyId);
  // By its name the file means the same on another computer; by its id where two are called alike.
  const alone = libraries.list().filter((one) => one.name === name).length === 1;
  return { name, type: 'library', library: alone ? name : id, ...(taxonomy && { taxonomy: taxonomy.name }) };
}
