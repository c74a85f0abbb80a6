import { expect, it } from 'vitest';
import { checkFitsMemory } from '../../../engine/library/fits-memory.ts';

const work = { kind: 'training', code: 'training', what: 'Training' } as const;

it('refuses what would not fit, saying how much it is and what to do', () => {
  const GIB = 2 ** 30;
  expect(() => checkFitsMemory({ count: 3_000_000, dim: 256 }, work, 12 * GIB)).not.toThrow();
  let refused: unknown;
  try {
    checkFitsMemory({ count: 3_000_000, dim: 256 }, work, 8 * GIB);
  } catch (thrown) {
    refused = thrown;
  }
  expect(refused).toMatchObject({
    code: 'training',
    message:
      'Training would hold 11.4 GiB in memory: 3,000,000 vectors of 256 numbers. It may take 8.0 GiB here.',
    hint: expect.stringContaining('fewer windows') as string,
  });
});

it('lets through what every machine holds', () => {
  expect(() => checkFitsMemory({ count: 1000, dim: 256 }, work)).not.toThrow();
});
