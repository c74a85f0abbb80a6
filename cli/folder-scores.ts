import type { FolderScore, FolderTable, FolderView } from '../engine/api/quality.ts';
import { counted } from '../engine/counted.ts';
import { writeCsv } from '../engine/bundles/csv.ts';
import { table, type Column } from './text.ts';

const VIEWS: readonly (readonly [FolderView, string])[] = [
  ['embedding', 'embedding'],
  ['embeddingStandardised', 'standardised'],
  ['logMel', 'log-mel'],
  ['mfcc', 'MFCC+Δ'],
  ['both', 'both'],
  ['randomTwin', 'random twin'],
];
const CLASSIFIERS: Readonly<Record<FolderScore['classifier'], string>> = {
  knn5: 'kNN 5',
  pecmae5: '5 prototypes',
};

/** What a pack is worth on folders of kinds, for people. */
export function describeFolderTable({ folders, rows }: FolderTable): string {
  const columns: Column<FolderScore>[] = [
    { title: 'collection', value: ({ from, to }) => (from === to ? from : `${from} → ${to}`) },
    { title: 'classes', value: (row) => String(row.classes), align: 'right' },
    { title: 'sounds', value: (row) => String(row.asked), align: 'right' },
    { title: 'classifier', value: (row) => CLASSIFIERS[row.classifier] },
    ...VIEWS.map(([view, title]): Column<FolderScore> => ({
      title,
      value: (row) => row.accuracy[view]?.toFixed(1) ?? '–',
      align: 'right',
    })),
    { title: 'largest class', value: (row) => row.largestClass.toFixed(1), align: 'right' },
  ];
  const read = folders.map(
    ({ name, sounds, windows, classes, leftOut, singleSounds }) =>
      `${name}: ${counted(sounds, 'sound')} (${counted(windows, 'window')}) in ${counted(classes, 'class', 'classes')}` +
      (leftOut.length > 0 ? `; ${counted(leftOut.length, 'file')} could not be read` : '') +
      (singleSounds.length > 0
        ? `; ${counted(singleSounds.length, 'class', 'classes')} of one sound left out`
        : ''),
  );
  return `Accuracy, % of the sounds, each left out in turn (prototypes: five folds)\n${table(columns, rows)}\n\n${read.join('\n')}`;
}

/** The same as CSV, a line per accuracy. */
export function folderTableCsv({ pack, seed, rows }: FolderTable): string {
  const lines = rows.flatMap((row) =>
    VIEWS.flatMap(([view]) => {
      const accuracy = row.accuracy[view];
      if (accuracy === undefined) return [];
      const { from, to, classifier, classes, asked, largestClass } = row;
      const cells = [pack.id, pack.version, pack.sha256, seed, from, to, classifier, view, accuracy];
      return [[...cells, classes, asked, largestClass]];
    }),
  );
  const head = 'pack,version,sha256,seed,from,to,classifier,view,accuracy,classes,asked,largestClass';
  return writeCsv(head.split(','), lines);
}
