import type { LabelledVectors } from '../../../models/embeddings/labelled-vectors.ts';
import {
  findReductionMethod,
  reduce,
  reducePath,
  type ReduceOptions,
  type ReductionResult,
} from '../../../models/reduction/index.ts';
import type { StudyRequest } from '../../api/studies.ts';

type Run = StudyRequest['runs'][number];
interface Made {
  result: ReductionResult;
  seconds: number;
}

const pathMethods = ['MChen', 'MRSP1', 'MRSP2'] as const;

/**
 * The reductions of one training set. Methods that give every size in one run are asked once for all the sizes that are
 * wanted; the time is then shared between them.
 */
export class Reducer {
  readonly #ready = new Map<string, Made>();

  /** @param wanted the runs that are still to be made on this set */
  constructor(
    readonly training: LabelledVectors,
    readonly wanted: readonly Run[],
    readonly options: ReduceOptions,
  ) {}

  /** @throws ReductionError, NumericError; the signal's reason */
  async make(run: Run): Promise<Made> {
    const started = performance.now();
    const since = (): number => (performance.now() - started) / 1000;
    const key = JSON.stringify(run);
    const ready = this.#ready.get(key);
    if (ready) {
      this.#ready.delete(key);
      return ready;
    }
    const { training, options } = this;
    const method = pathMethods.find((name) => name === run.method);
    const sized = method !== undefined && run.parameters['p'] !== undefined;
    const siblings = sized ? this.wanted.filter((other) => familyOf(other) === familyOf(run)) : [];
    if (!method || siblings.length < 2) {
      const result = await reduce(findReductionMethod(run.method).name, training, run.parameters, options);
      return { result, seconds: since() };
    }
    const parameters = Object.fromEntries(Object.entries(run.parameters).filter(([name]) => name !== 'p'));
    const sizes = siblings.map((sibling) => Number(sibling.parameters['p']));
    const results = await reducePath(method, training, sizes, { ...options, parameters });
    const seconds = since() / siblings.length;
    siblings.forEach((sibling, i) => {
      const result = results[i];
      if (result) this.#ready.set(JSON.stringify(sibling), { result, seconds });
    });
    return this.make(run);
  }
}

/** The same for runs that differ in size only; runs that leave the size to its default stand alone. */
function familyOf({ method, parameters }: Run): string {
  const { p, ...others } = parameters;
  return JSON.stringify([method, p === undefined, others]);
}
