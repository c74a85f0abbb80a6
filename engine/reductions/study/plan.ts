import { basename } from 'node:path';
import { takeRows, type LabelledVectors } from '../../../models/knn/index.ts';
import type { RowSplit } from '../../../models/evaluation/splits/folds.ts';
import { findReductionMethod } from '../../../models/reduction/index.ts';
import type { SpaceInfo, SplitName, Study, StudyRequest } from '../../api/domain.ts';
import type { EngineContext } from '../../context.ts';
import type { Library } from '../../library/library.ts';
import { newId } from '../../identifier.ts';
import { corpusFacts, corpusRows, fingerprintOf, testRows, type LabelledRows } from '../corpus/index.ts';
import { splitRows } from './splits.ts';
import { insertStudy } from './store.ts';

/** The data of a study in parts; a part is made when it is needed. */
export interface StudyData {
  rows: LabelledRows;
  parts: { counts: Study['splits'][number]; make(): { training: LabelledVectors; test: LabelledVectors } }[];
  /** Part of the first split of every item of a library. */
  items: Map<string, SplitName>;
}

/**
 * Reads the corpus of a study and splits it; the same request in the same space gives the same parts.
 * @throws EngineError; DatasetError; ReductionError; the signal's reason
 */
export async function studyData(
  context: EngineContext,
  library: Library,
  { source, split, seed }: Pick<StudyRequest, 'source' | 'split' | 'seed'>,
  signal?: AbortSignal,
  space?: SpaceInfo,
): Promise<StudyData> {
  const rows = await corpusRows(context, library, source, signal, space);
  if (split.kind === 'file') {
    const test = await testRows(split.path, rows, context.options, signal);
    const counts = { train: rows.count, test: test.count };
    return { rows, parts: [{ counts, make: () => ({ training: rows, test }) }], items: new Map() };
  }
  const splits = splitRows(rows, split, seed);
  return {
    rows,
    parts: splits.map(({ train, test }) => ({
      counts: { train: train.length, test: test.length },
      make: () => ({ training: takeRows(rows, train), test: takeRows(rows, test) }),
    })),
    items: source.kind === 'library' ? itemsOf(rows, splits[0]) : new Map<string, SplitName>(),
  };
}

function itemsOf({ itemOf }: LabelledRows, split: RowSplit | undefined): Map<string, SplitName> {
  const name = (part: SplitName, rows: readonly number[] = []): [string, SplitName][] =>
    rows.map((row) => [itemOf[row] ?? '', part]);
  return new Map([...name('train', split?.train), ...name('test', split?.test)]);
}

/**
 * Stores a new study, so that what it brings has a place from its first reduction on.
 * @returns its id and name
 * @throws EngineError; DatasetError; ReductionError for an unknown method
 */
export async function planStudy(
  context: EngineContext,
  library: Library,
  request: StudyRequest,
): Promise<{ id: string; name: string }> {
  // Before anything is read: a wrong name is the caller's mistake.
  const methods = [...new Set(request.runs.map(({ method }) => findReductionMethod(method).title))];
  const data = await studyData(context, library, request);
  const what = methods.length === 1 ? (methods[0] ?? '') : `${methods.length} methods`;
  const study = {
    id: newId(),
    name: `${data.rows.name}: ${what}${request.split.kind === 'file' ? `, tested on ${basename(request.split.path)}` : ''}`,
    state: 'running' as const,
    request,
    corpus: await corpusFacts(data.rows),
    fingerprint: await fingerprintOf(data.rows),
    splits: data.parts.map(({ counts }) => counts),
    full: [],
    failures: [],
    planned: request.runs.length * request.noise.length,
    space: data.rows.space,
    createdAt: new Date().toISOString(),
    seconds: 0,
  };
  insertStudy(library, study, data.items);
  return { id: study.id, name: study.name };
}
