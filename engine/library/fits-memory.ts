import { totalmem } from 'node:os';
import { EngineError, type EngineErrorCode } from '../api/errors.ts';

/** What one work may take of the machine's memory: the application, its other processes and other programs need theirs. */
const SHARE = 1 / 2;

/**
 * What work on vectors holds of each of their numbers at its largest, in bytes.
 * - training: the windows as they are, normalised, and those of a class in float64 for its first prototypes
 * - study: the rows, the training rows taken from them, and their codes for the search
 */
export const HELD_PER_NUMBER = { training: 16, study: 12 } as const;

/**
 * Refuses work whose vectors would not fit, instead of letting the system end the engine in the middle of it.
 * @param code of the error · @param what the subject of a sentence: “Training” · @param most bytes it may take
 * @throws EngineError
 */
export function checkFitsMemory(
  { count, dim }: { count: number; dim: number },
  { kind, code, what }: { kind: keyof typeof HELD_PER_NUMBER; code: EngineErrorCode; what: string },
  most = SHARE * totalmem(),
): void {
  const bytes = count * dim * HELD_PER_NUMBER[kind];
  if (bytes <= most) return;
  const gib = (value: number): string => `${(value / 2 ** 30).toFixed(1)} GiB`;
  throw new EngineError(
    code,
    `${what} would hold ${gib(bytes)} in memory: ${count.toLocaleString('en')} vectors of ${dim} numbers. It may take ${gib(most)} here.`,
    'Use fewer windows of each track, leave tracks out, use a taxonomy that labels fewer of them, or go to a machine with more memory.',
  );
}
