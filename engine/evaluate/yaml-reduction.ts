import * as z from 'zod';
import type { ProbeReduction } from '../../models/probes/probe.ts';
import { findReductionMethod, ReductionError } from '../../models/reduction/index.ts';
import { fillParameters } from '../../models/reduction/parameters.ts';

const writtenSchema = z.union([
  z.string(),
  z.looseObject({ method: z.string() }).catchall(z.union([z.number(), z.string(), z.boolean()])),
]);

/**
 * The reduction that a kNN probe names: `MRSP3`, or `{ method: MRSP2, p: 20 }`.
 * @returns undefined where none is named; in words what is wrong with it
 */
export function reductionOf(written: unknown): ProbeReduction | undefined | { problem: string } {
  if (written === undefined || written === null) return undefined;
  const { data } = writtenSchema.safeParse(written);
  if (data === undefined) return { problem: 'names no method of reduction' };
  const { method: name, ...parameters } = typeof data === 'string' ? { method: data } : data;
  try {
    const method = findReductionMethod(name);
    fillParameters(method.name, method.parameters, parameters);
    return { method: method.name, parameters };
  } catch (thrown) {
    if (!(thrown instanceof ReductionError)) throw thrown;
    return { problem: `${thrown.message} ${thrown.hint}` };
  }
}
