import { describe, expect, it } from 'vitest';
import { sharedFolder } from './shared.ts';

const folder = sharedFolder('golden');
const absent = sharedFolder('golden/no-such-folder');
let whileLoading: unknown;
describe.skip('a block whose tests are skipped', () => {
  try {
    folder.path('x');
  } catch (error) {
    whileLoading = error;
  }
  it('has a test', () => undefined);
});

describe('reference material beside the repository', () => {
  it('is not given out while tests load, not even where it is there', () => {
    expect(whileLoading).toMatchObject({ message: expect.stringMatching(/while tests load/) as string });
  });

  it('is given out in tests, and says when it is missing', () => {
    expect(folder.path('a', 'b')).toMatch(/golden.a.b$/);
    expect(absent.missing).toBe(true);
  });
});
