import {
  evaluationTasks,
  formDeformations,
  formProbes,
  type EvaluationForm,
  type EvaluationGroup,
  type EvaluationTask,
} from '../../../engine/api/evaluations.ts';

/** The space of a data set file. */
const OWN_VECTORS = 'own';

export type ProbeKind = (typeof formProbes)[number];
export type DeformationType = (typeof formDeformations)[number]['type'];
export type DatasetKind = EvaluationForm['dataset']['kind'];

export const taskTitles: Readonly<Record<EvaluationTask, string>> = {
  single: 'one label each',
  multi: 'several labels',
  key: 'the key',
  regression: 'a number each',
  mir: 'what is measured of the sound',
};

/** What scores are of in each task: “Keys”, and the heading of their column. */
export const targetWords: Readonly<Record<EvaluationTask, { one: string; many: string }>> = {
  single: { one: 'Class', many: 'Classes' },
  multi: { one: 'Label', many: 'Labels' },
  key: { one: 'Key', many: 'Keys' },
  regression: { one: 'Number', many: 'Numbers' },
  mir: { one: 'Measured', many: 'Numbers measured' },
};

export const groupTitles: Readonly<Record<EvaluationGroup, string>> = {
  track: 'copies of a recording',
  folder: 'tracks of one folder',
  artist: 'tracks of one artist',
  album: 'tracks of one album',
};

/** Probes as the form names them, and which tasks they fit. */
export const probeChoices: readonly {
  id: ProbeKind;
  title: string;
  tasks: readonly EvaluationForm['task'][];
}[] = [
  { id: 'knn', title: '5 nearest tracks', tasks: ['single', 'key'] },
  { id: 'mlknn', title: 'ML-kNN, 10 nearest', tasks: ['multi'] },
  { id: 'linear', title: 'Linear', tasks: ['single', 'multi', 'key'] },
  { id: 'classifier', title: 'MLP of one hidden layer', tasks: ['single', 'multi', 'key'] },
  { id: 'prototypes', title: 'Prototype network', tasks: ['single', 'multi', 'key'] },
  { id: 'head', title: 'Heads and tags of the packs', tasks: ['single', 'multi', 'key'] },
  { id: 'ridge', title: 'Ridge regression', tasks: ['regression', 'mir'] },
];

/** What is filled in. */
export interface FormState {
  name: string;
  task: EvaluationForm['task'];
  groupBy: EvaluationGroup;
  dataset: DatasetKind;
  taxonomyId: string | null;
  /** Of the data set’s audio, where it is no library; a data set file. */
  folder: string | null;
  /** Which columns of a data set file are labels. */
  labels: 'auto' | 'last' | 'first' | 'xml';
  labelCount: number;
  labelsPath: string | null;
  /** Another folder that is tested on; null: parts of the first sounds. */
  testOn: { kind: 'folders' | 'tokens'; folder: string | null; mapping: string } | null;
  spaces: string[];
  /** Groups of the numbers of hand-made spaces, alone. */
  groups: boolean;
  /** Blocks inside the networks of the spaces, too. */
  layers: boolean;
  probes: ProbeKind[];
  deformations: Partial<Record<DeformationType, number>>;
  seeds: number;
  folds: number;
}

export const firstForm: FormState = {
  name: 'My evaluation',
  task: 'single',
  groupBy: 'track',
  dataset: 'library',
  taxonomyId: null,
  folder: null,
  labels: 'auto',
  labelCount: 1,
  labelsPath: null,
  testOn: null,
  spaces: ['compact', 'random-twin', 'mfcc'],
  groups: false,
  layers: false,
  probes: ['knn', 'linear', 'ridge'],
  deformations: { AddGaussianSNR: 15 },
  seeds: 1,
  folds: 5,
};

/** What is missing, in words; null where it can be run. */
export function missingIn(form: FormState): string | null {
  if (form.name.trim() === '') return 'Give it a name.';
  if (form.task !== 'mir' && form.dataset === 'library' && form.taxonomyId === null)
    return 'Choose whose labels are learned.';
  if (form.dataset === 'file') {
    if (form.folder === null) return 'Choose a data set file.';
    if (form.labels === 'xml' && form.labelsPath === null) return 'Choose the XML that names the labels.';
    return probesOf(form).length === 0 ? 'Choose a probe.' : null;
  }
  if (form.dataset !== 'library' && form.folder === null) return 'Choose a folder of sounds.';
  if (testsElsewhere(form) && form.testOn?.folder === null) return 'Choose a folder to test on.';
  const odd = testsElsewhere(form) ? unmapped(form.testOn?.mapping ?? '') : undefined;
  if (odd !== undefined) return `Write “${odd}” as “theirs = ours”.`;
  if (form.spaces.length === 0) return 'Choose a space.';
  if (probesOf(form).length === 0) return 'Choose a probe.';
  return null;
}

/** Only labels can be mapped. */
export const testsElsewhere = ({ dataset, task, testOn }: FormState): boolean =>
  testOn !== null && dataset !== 'file' && (task === 'single' || task === 'multi' || task === 'key');

/** “La = A” in a line each, or parted by commas: a label of the tested sounds and what it is called in the learned ones. */
export function mappingOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(/[\n,]/).flatMap((line): [string, string][] => {
      const [from = '', ...rest] = line.split('=').map((part) => part.trim());
      const to = rest.join('=');
      return from === '' || to === '' ? [] : [[from, to]];
    }),
  );
}

/** What is written there and maps no label; undefined where there is nothing of the kind. */
const unmapped = (text: string): string | undefined =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .find((line) => line !== '' && Object.keys(mappingOf(line)).length === 0);

/** Those that fit the task. */
const probesOf = (form: FormState): ProbeKind[] =>
  choicesFor(form)
    .filter(({ id }) => form.probes.includes(id))
    .map(({ id }) => id);

/** Probes that there are for what is learned; a data set file has no pack whose heads could answer. */
export const choicesFor = ({ task, dataset }: FormState): (typeof probeChoices)[number][] =>
  probeChoices.filter(({ id, tasks }) => tasks.includes(task) && !(dataset === 'file' && id === 'head'));

/** What is learned of what: a data set file holds no sound that could be measured. */
export const tasksFor = ({ dataset }: FormState): EvaluationTask[] =>
  evaluationTasks.filter((task) => dataset !== 'file' || task !== 'mir');

/**
 * What the engine makes a file of.
 * @param libraryId of the open library; null without one
 */
export function formOf(form: FormState, libraryId: string | null): EvaluationForm | null {
  const { name, task, groupBy, folder, folds, spaces } = form;
  const taxonomyId = task === 'mir' ? null : form.taxonomyId;
  const dataset: EvaluationForm['dataset'] | null =
    form.dataset === 'library'
      ? libraryId !== null && (taxonomyId !== null || task === 'mir')
        ? { kind: 'library', libraryId, taxonomyId }
        : null
      : folder === null
        ? null
        : form.dataset === 'file'
          ? { kind: 'file', name: folderName(folder), labels: labelsOf(form) }
          : { kind: form.dataset, name: folderName(folder) };
  if (dataset === null) return null;
  const { testOn } = form;
  const elsewhere =
    testsElsewhere(form) && testOn?.folder != null
      ? {
          sounds: { kind: testOn.kind, name: testFolderName(form) },
          mapping: mappingOf(testOn.mapping),
        }
      : null;
  return {
    ...{ name: name.trim(), task, dataset, testOn: elsewhere, folds },
    ...(form.dataset === 'file'
      ? { groupBy: 'track', spaces: [OWN_VECTORS], groups: false, layers: false }
      : { groupBy, spaces, groups: form.groups, layers: form.layers }),
    probes: probesOf(form),
    deformations: formDeformations.flatMap(({ type }) => {
      const value = form.deformations[type];
      return value === undefined || form.dataset === 'file' ? [] : [{ type, value }];
    }),
    seeds: Array.from({ length: form.seeds }, (_, i) => i + 1),
    windows: 8,
  };
}

function labelsOf({
  labels,
  labelCount,
  labelsPath,
}: FormState): Extract<EvaluationForm['dataset'], { kind: 'file' }>['labels'] {
  if (labels === 'xml') return labelsPath === null ? null : { xml: folderName(labelsPath) };
  return labels === 'auto' ? null : labels === 'last' ? { last: labelCount } : { first: labelCount };
}

/** What the folder that is tested on is called in the file: two folders of one name are told apart. */
export function testFolderName({ dataset, folder, testOn }: FormState): string {
  const name = folderName(testOn?.folder ?? '');
  const taken = dataset !== 'library' && folder !== null && folderName(folder) === name;
  return taken ? `${name} (tested)` : name;
}

/** A folder is called by its own name in the file, and found by `places`. */
export const folderName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
