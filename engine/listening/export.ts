import { writeCsv } from '../bundles/csv.ts';
import type { ListeningSummary } from '../api/listening.ts';
import { writeNew } from '../bundles/write-new.ts';
import type { Library } from '../library/library.ts';
import { answersTo, chanceOf, isRight, truthOf } from './score.ts';
import { summaryOf } from './tests.ts';

type Cell = string | number | null;

/** Which sounds were heard, so that a row says by itself what it is about. */
const PROVENANCE = [
  ...['test', 'created_at', 'experiment', 'experiment_id', 'revision', 'questions_seed'],
  ...['pack', 'pack_sha256', 'sound_seed', 'steps', 'guidance', 'origin', 'noise_share'],
];

function provenance({ settings, space, ...test }: ListeningSummary): Cell[] {
  const { seed, steps, guidance, from } = settings;
  return [
    ...[test.id, test.createdAt, test.experimentName, test.experimentId, test.revision, test.seed],
    ...[space.packId, space.packSha256, seed, steps, guidance, from.origin],
    from.origin === 'recording' ? from.share : null,
  ];
}

interface Table {
  header: string[];
  rows: Cell[][];
}

const tables: Record<'rounds' | 'scores', (library: Library) => Table> = {
  rounds: (library) => ({
    header: [
      ...PROVENANCE,
      ...['round', 'kind', 'prototype', 'class', 'choices', 'excerpt', 'excerpt_seconds', 'excerpt_is'],
      ...['answer', 'truth', 'right', 'chance'],
    ],
    rows: library.listening.list().flatMap((test) => {
      const from = provenance(summaryOf(library, test));
      return test.rounds.map((round, place): Cell[] => {
        const right = isRight(round);
        const pair = round.kind === 'class' ? null : round;
        return [
          ...[...from, place, round.kind, round.index, round.class],
          answersTo(round).join(';'),
          ...[pair?.excerpt.path ?? null, pair?.excerpt.startSeconds ?? null, pair?.real ?? null],
          ...[round.answer, truthOf(round), right === null ? null : Number(right), chanceOf(round)],
        ];
      });
    }),
  }),
  scores: (library) => ({
    header: [...PROVENANCE, 'kind', 'class', 'answered', 'right', 'share', 'low_95', 'high_95', 'chance'],
    rows: library.listening.list().flatMap((test) => {
      const summary = summaryOf(library, test);
      return summary.scores.map((score): Cell[] => [
        ...[...provenance(summary), score.kind, score.class ?? 'all', score.answered, score.right],
        ...[score.share, score.low, score.high, score.chance],
      ]);
    }),
  }),
};

/**
 * Writes the listening tests of a library as a table.
 * @throws as {@link writeNew}
 */
export async function exportListening(
  library: Library,
  { what, path }: { what: 'rounds' | 'scores'; path: string },
): Promise<{ path: string; rows: number }> {
  const { header, rows } = tables[what](library);
  await writeNew(path, writeCsv(header, rows));
  return { path, rows: rows.length };
}
