import { createRequire } from 'node:module';
import { systemCalls, type Processor } from './system-calls.ts';

/** Calls Linux's kernel from JavaScript. */
export interface Kernel {
  /** @returns what the call returned; −1 when it was refused */
  call: (name: keyof ReturnType<typeof systemCalls>['used'], ...input: (number | bigint)[]) => number;
  /** Where the bytes of a buffer lie. They stay there as long as the buffer is used. */
  address: (bytes: Buffer) => bigint;
}

/** @throws Error, in one line, where calls from JavaScript to native code are not offered */
export function openKernel(processor: Processor): Kernel {
  const koffi = load();
  const syscall = koffi
    .load(null)
    .func('syscall', 'long', ['long', ...Array<string>(5).fill('intptr_t')]) as (
    ...input: (number | bigint)[]
  ) => number | bigint;
  const { used } = systemCalls(processor);
  return {
    call: (name, ...input) =>
      Number(syscall(used[name], ...input, ...Array<number>(5 - input.length).fill(0))),
    address: (bytes) => koffi.address(bytes),
  };
}

function load(): typeof import('koffi') {
  try {
    // Loaded only by processes that give up their rights at once: it can do what native code can.
    return createRequire(import.meta.url)('koffi') as typeof import('koffi');
  } catch (error) {
    // Node adds through which files it came to a missing one, which says nothing to people.
    const [why = ''] = String(error instanceof Error ? error.message : error).split('\n');
    throw new Error(`the system cannot be called from here (${why})`, { cause: error });
  }
}
