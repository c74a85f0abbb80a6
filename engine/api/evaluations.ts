/** Evaluations: tasks × spaces × deformations × probes, from a file that mir_ref's configuration is. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { path } from './shared.ts';
import type { Started } from './shared.ts';

/**
 * Steps of an evaluation: `deform` measures the deformations on test audio, `extract` makes the vectors, `train` scores on
 * clean audio, `evaluate` on deformed audio too; `conduct` is all of it.
 */
export const evaluationSteps = ['deform', 'extract', 'train', 'evaluate', 'conduct'] as const;

const evaluationId = z
  .string()
  .length(16)
  .regex(/^[0-9a-f]{16}$/, 'not an evaluation');

export type EvaluationStep = (typeof evaluationSteps)[number];

/** A part of the file that is kept and not understood, or not run. */
export interface EvaluationMark {
  /** Where it stands: “experiments[0].features[2]”. */
  at: string;
  message: string;
}

/** One line of the table: the mean over seeds and splits. */
export interface EvaluationRow {
  dataset: string;
  space: string;
  probe: string;
  /** “clean”, or the deformations in order. */
  deformation: string;
  metric: string;
  mean: number;
  /** Half the width of the 95 % interval of the mean over runs (Student's t); null for one run. */
  interval: number | null;
  runs: number;
  /** Test tracks of all runs together. */
  tested: number;
}

export interface EvaluationTable {
  evaluationId: string;
  marks: EvaluationMark[];
  rows: EvaluationRow[];
  /** Cells there are, and all there should be. */
  cells: number;
  planned: number;
  /** The application and the packs that made it. */
  madeBy: { version: string; packs: { id: string; version: string; sha256: string }[] };
}

export const evaluationsMethods = {
  /** Goes on where an earlier run of the same file ended. */
  'evaluations.run': query<Started>()(
    z.strictObject({
      file: path,
      step: z.enum(evaluationSteps).default('conduct'),
      /** Where the folders that the file names are, by the name it gives them. */
      places: z.record(z.string().min(1).max(1000), path).default({}),
    }),
  ),
  'evaluations.table': query<EvaluationTable>()(z.strictObject({ evaluationId })),
};
