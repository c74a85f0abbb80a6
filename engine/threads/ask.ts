import type { Contract, InputOf, OutputOf, QueryOf } from '../wire/contract.ts';
import { callThread, type ThreadLimits } from './call-thread.ts';

/** What reads a whole file for one answer, in a thread of its own. */
export const threadKinds = ['dataset', 'label'] as const;
export type ThreadKind = (typeof threadKinds)[number];
/** The bundled files of those that may be asked. */
export type ThreadFiles = Partial<Record<ThreadKind, string>>;

export interface AskOptions {
  limits: ThreadLimits;
  signal?: AbortSignal | undefined;
}

/** {@link callThread}, wherever the thread runs. */
export type AskThread = <C extends Contract, M extends QueryOf<C>>(
  kind: ThreadKind,
  contract: C,
  method: M,
  input: InputOf<C, M>,
  options: AskOptions,
) => Promise<OutputOf<C, M>>;

/** Threads of this process. */
export const threadsHere =
  (files: ThreadFiles): AskThread =>
  async (kind, contract, method, input, options) => {
    const file = files[kind];
    if (file === undefined) throw new Error(`There is no ${kind} worker here.`);
    return callThread(file, contract, method, input, { ...options, name: `${kind} worker` });
  };
