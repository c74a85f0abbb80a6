import {
  findReductionMethod,
  reductionMethods,
  type ReductionMethodEntry,
} from '../../../models/reduction/index.ts';
import type { MethodInfo } from '../../api/studies.ts';

/** The reduction methods with what each takes. */
export const methods: readonly MethodInfo[] = reductionMethods.map(methodInfo);

/**
 * What a method of that name takes.
 * @throws ReductionError `method` when there is none
 */
export function methodNamed(name: string): MethodInfo {
  return methodInfo(findReductionMethod(name));
}

function methodInfo(method: ReductionMethodEntry): MethodInfo {
  const { name, title, description, kind, seeded, oneLabel, parameters } = method;
  return { id: name, title, description, kind, seeded, oneLabel, parameters: [...parameters] };
}
