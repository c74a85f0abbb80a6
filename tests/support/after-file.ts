const tidyings: (() => void | Promise<void>)[] = [];

/**
 * Does something once the test file in hand has ended. Test files of a process may share their modules
 * (vitest.config.ts), whose own hooks would be those of the first file alone: a module that keeps something says so here.
 * Call it whenever something is kept.
 */
export function afterFile(tidy: () => void | Promise<void>): void {
  tidyings.push(tidy);
}

/** Last things first, as what was made later may need what was made before; all of them, whichever fails. */
export async function tidyUp(): Promise<void> {
  const failures: unknown[] = [];
  for (const tidy of tidyings.splice(0).reverse())
    try {
      await tidy();
    } catch (thrown) {
      failures.push(thrown);
    }
  if (failures.length > 0)
    throw new AggregateError(failures, 'What a test file made was not all taken away.');
}
