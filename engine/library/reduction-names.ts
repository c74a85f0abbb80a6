import { reductionMethods } from '../../models/reduction/index.ts';
import type { Reduction } from '../api/reductions.ts';

/** A run in short: its method, its numbers, and the choices that are not the default: “MChen p 10”. */
export function runName(method: string, parameters: Reduction['parameters']): string {
  const known = reductionMethods.find(({ name }) => name === method)?.parameters ?? [];
  const told = Object.entries(parameters).flatMap(([name, value]) => {
    const parameter = known.find((item) => item.name === name);
    return parameter?.kind === 'choice' && parameter.default === value ? [] : [`${name} ${String(value)}`];
  });
  return [method, ...told].join(' ');
}
