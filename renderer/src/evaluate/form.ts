import { formDeformations, formProbes, type EvaluationForm } from '../../../engine/api/evaluations.ts';

export type ProbeKind = (typeof formProbes)[number];
export type DeformationType = (typeof formDeformations)[number]['type'];
export type DatasetKind = EvaluationForm['dataset']['kind'];

/** Probes as the form names them, and which tasks they fit. */
export const probeChoices: readonly {
  id: ProbeKind;
  title: string;
  tasks: readonly EvaluationForm['task'][];
}[] = [
  { id: 'knn', title: '5 nearest tracks', tasks: ['single'] },
  { id: 'mlknn', title: 'ML-kNN, 10 nearest', tasks: ['multi'] },
  { id: 'linear', title: 'Linear', tasks: ['single', 'multi'] },
  { id: 'classifier', title: 'MLP of one hidden layer', tasks: ['single', 'multi'] },
  { id: 'prototypes', title: 'Prototype network', tasks: ['single', 'multi'] },
];

/** What is filled in. */
export interface FormState {
  name: string;
  task: EvaluationForm['task'];
  dataset: DatasetKind;
  taxonomyId: string | null;
  /** Of the data set’s audio, where it is no library. */
  folder: string | null;
  spaces: string[];
  probes: ProbeKind[];
  deformations: Partial<Record<DeformationType, number>>;
  seeds: number;
  folds: number;
}

export const firstForm: FormState = {
  name: 'My evaluation',
  task: 'single',
  dataset: 'library',
  taxonomyId: null,
  folder: null,
  spaces: ['compact', 'random-twin', 'mfcc'],
  probes: ['knn', 'linear'],
  deformations: { AddGaussianSNR: 15 },
  seeds: 1,
  folds: 5,
};

/** What is missing, in words; null where it can be run. */
export function missingIn(form: FormState): string | null {
  if (form.name.trim() === '') return 'Give it a name.';
  if (form.dataset === 'library' && form.taxonomyId === null) return 'Choose whose labels are learned.';
  if (form.dataset !== 'library' && form.folder === null) return 'Choose a folder of sounds.';
  if (form.spaces.length === 0) return 'Choose a space.';
  if (probesOf(form).length === 0) return 'Choose a probe.';
  return null;
}

/** Those that fit the task. */
const probesOf = ({ probes, task }: FormState): ProbeKind[] =>
  probeChoices.filter(({ id, tasks }) => probes.includes(id) && tasks.includes(task)).map(({ id }) => id);

/**
 * What the engine makes a file of.
 * @param libraryId of the open library; null without one
 */
export function formOf(form: FormState, libraryId: string | null): EvaluationForm | null {
  const { name, task, taxonomyId, folder, folds, spaces } = form;
  const dataset: EvaluationForm['dataset'] | null =
    form.dataset === 'library'
      ? libraryId !== null && taxonomyId !== null
        ? { kind: 'library', libraryId, taxonomyId }
        : null
      : folder === null
        ? null
        : { kind: form.dataset, name: folderName(folder) };
  if (dataset === null) return null;
  return {
    ...{ name: name.trim(), task, dataset, spaces, folds },
    probes: probesOf(form),
    deformations: formDeformations.flatMap(({ type }) => {
      const value = form.deformations[type];
      return value === undefined ? [] : [{ type, value }];
    }),
    seeds: Array.from({ length: form.seeds }, (_, i) => i + 1),
    windows: 8,
  };
}

/** A folder is called by its own name in the file, and found by `places`. */
export const folderName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
