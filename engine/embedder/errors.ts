/** Errors of packs on their way through the wire. */
import * as z from 'zod';
import { PackError, type PackErrorCode } from '../../models/packs/index.ts';
import { EngineError } from '../wire/errors.ts';

/** What a graph threw, for the wire; code and file go along. */
export function packErrorCoding(thrown: unknown): EngineError {
  if (thrown instanceof PackError) {
    const { code, message, hint, file } = thrown;
    return new EngineError('pack', message, hint, { detail: { code, file: file ?? null } });
  }
  if (thrown instanceof RangeError)
    return new EngineError('bad-input', thrown.message, '', { detail: { code: 'range' } });
  return EngineError.from(thrown);
}

/** Written by {@link packErrorCoding} of the same build, nobody else. */
const detailSchema = z.object({
  code: z.custom<PackErrorCode>((value) => typeof value === 'string'),
  file: z.string().nullable(),
});

/** The inverse of {@link packErrorCoding}; what is neither a pack's fault nor a wrong size stays as it is. */
export function fromPackErrorCoding(thrown: unknown): unknown {
  if (!(thrown instanceof EngineError)) return thrown;
  if (thrown.code === 'bad-input' && thrown.detail?.['code'] === 'range')
    return new RangeError(thrown.message);
  if (thrown.code !== 'pack') return thrown;
  const { code, file } = detailSchema.parse(thrown.detail);
  return new PackError(code, thrown.message, { hint: thrown.hint, ...(file === null ? {} : { file }) });
}
