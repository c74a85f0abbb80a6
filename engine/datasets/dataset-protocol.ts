import * as z from 'zod';
import { DatasetError, type DatasetErrorCode } from '../../models/datasets/errors.ts';
import type { Dataset } from '../../models/datasets/types.ts';
import { query } from '../wire/contract.ts';
import { EngineError } from '../wire/errors.ts';

const choiceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['last', 'first']), count: z.number() }),
  z.strictObject({ kind: z.literal('names'), names: z.array(z.string()) }),
  z.strictObject({ kind: z.literal('xml'), path: z.string() }),
]);

/** What the thread made from `dataset-worker.ts` does. */
export const datasetContract = {
  read: query<Dataset>()(
    z.strictObject({
      path: z.string(),
      labels: choiceSchema.optional(),
      exclude: z.array(z.string()).optional(),
      missing: z.enum(['refuse', 'drop-rows']).optional(),
    }),
  ),
};

/** A {@link DatasetError} for the wire; its code and place go along. */
export function datasetErrorCoding(thrown: unknown): EngineError {
  if (!(thrown instanceof DatasetError)) return EngineError.from(thrown);
  const { code, message, hint, line = null, column = null } = thrown;
  return new EngineError('unreadable', message, hint, { detail: { code, line, column } });
}

/** Written by {@link datasetErrorCoding} of the same build, nobody else. */
const detailSchema = z.object({
  code: z.custom<DatasetErrorCode>((value) => typeof value === 'string'),
  line: z.number().nullable(),
  column: z.number().nullable(),
});

/** The inverse of {@link datasetErrorCoding}; anything else stays as it is. */
export function asDatasetError(thrown: unknown): unknown {
  if (!(thrown instanceof EngineError) || thrown.code !== 'unreadable') return thrown;
  const { code, line, column } = detailSchema.parse(thrown.detail);
  return new DatasetError(code, thrown.message, thrown.hint, line ?? undefined, column ?? undefined);
}
