import { basename } from 'node:path';
import { takeRows, type LabelledVectors } from '../../../models/embeddings/labelled-vectors.ts';
import type { RowSplit } from '../../../models/evaluation/splits/folds.ts';
import { findReductionMethod } from '../../../models/reduction/index.ts';
import type { SplitName } from '../../api/experiments.ts';
import type { SpaceInfo } from '../../api/spaces.ts';
import type { Study, StudyRequest } from '../../api/studies.ts';
import { EngineError } from '../../api/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { Library } from '../../library/library.ts';
import { newId } from '../../identifier.ts';
import {
  corpusFacts,
  corpusRows,
  fingerprintOf,
  hashOfDataset,
  testRows,
  type LabelledRows,
} from '../corpus/index.ts';
import { splitRows } from './splits.ts';

/** One split. */
export interface StudyPart {
  counts: Study['splits'][number];
  /** Rows of the corpus that are reduced, ascending; null: all. */
  train: readonly number[] | null;
  make(): { training: LabelledVectors; test: LabelledVectors };
}

/** The data of a study in parts; a part is made when it is needed. */
export interface StudyData {
  rows: LabelledRows;
  parts: StudyPart[];
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
    const test = await testRows(split.path, rows, context, signal);
    return { rows, parts: [wholeAgainst(rows, test)], items: new Map() };
  }
  if (split.kind === 'none') {
    if (source.kind === 'library')
      throw new EngineError(
        'bad-input',
        'A library is reduced with tracks held out for scoring.',
        'Hold out a share of them, or cut it into folds.',
      );
    return { rows, parts: [wholeAgainst(rows, takeRows(rows, []))], items: new Map() };
  }
  const splits = splitRows(rows, split, seed);
  return {
    rows,
    parts: splits.map(({ train, test }) => ({
      counts: { train: train.length, test: test.length },
      train,
      make: () => ({ training: takeRows(rows, train), test: takeRows(rows, test) }),
    })),
    items: source.kind === 'library' ? itemsOf(rows, splits[0]) : new Map<string, SplitName>(),
  };
}

function wholeAgainst(rows: LabelledRows, test: LabelledVectors): StudyPart {
  const counts = { train: rows.count, test: test.count };
  return { counts, train: null, make: () => ({ training: rows, test }) };
}

function itemsOf({ tracks }: LabelledRows, split: RowSplit | undefined): Map<string, SplitName> {
  const name = (part: SplitName, rows: readonly number[] = []): [string, SplitName][] =>
    rows.map((row) => [tracks.ids[tracks.of[row] ?? -1] ?? '', part]);
  return new Map([...name('train', split?.train), ...name('test', split?.test)]);
}

/**
 * Stores a new study, so that what it brings has a place from its first reduction on.
 * @returns its id and name
 * @throws EngineError; DatasetError; ReductionError for an unknown method; the signal's reason
 */
export async function planStudy(
  context: EngineContext,
  library: Library,
  request: StudyRequest,
  signal?: AbortSignal,
): Promise<{ id: string; name: string }> {
  // Before anything is read: a wrong name is the caller's mistake.
  const methods = [...new Set(request.runs.map(({ method }) => findReductionMethod(method).title))];
  const data = await studyData(context, library, request, signal);
  const what = methods.length === 1 ? (methods[0] ?? '') : `${methods.length} methods`;
  const study = {
    id: newId(),
    name: `${data.rows.name}: ${what}${request.split.kind === 'file' ? `, tested on ${basename(request.split.path)}` : ''}`,
    state: 'running' as const,
    request,
    corpus: await corpusFacts(data.rows, signal),
    fingerprint: await fingerprintOf(data.rows, signal),
    splits: data.parts.map(({ counts }) => counts),
    full: [],
    failures: [],
    planned: request.runs.length * request.noise.length,
    space: data.rows.space,
    createdAt: new Date().toISOString(),
    seconds: 0,
  };
  const { source } = request;
  const { dataset } = data.rows;
  const origin =
    source.kind === 'dataset' && dataset
      ? { ...dataset, sha256: await hashOfDataset(source.path, signal) }
      : null;
  library.studies.insert(study, data.items, origin);
  return { id: study.id, name: study.name };
}
