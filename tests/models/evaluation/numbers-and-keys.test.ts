import { describe, expect, it } from 'vitest';
import { keyName, keyOf, keyScore, type Key } from '../../../models/evaluation/metrics/key.ts';
import { meanAbsoluteError, r2 } from '../../../models/evaluation/metrics/regression.ts';

const key = (name: string): Key => keyOf(name) ?? expect.fail(name);

describe('metrics of numbers', () => {
  it('R² and mean error by hand, undefined where they are', () => {
    expect(r2([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(r2([1, 2, 3], [2, 2, 2])).toBe(0);
    expect(r2([3, -0.5, 2, 7], [2.5, 0, 2, 8])).toBeCloseTo(0.9486081370449679, 12);
    expect(meanAbsoluteError([3, -0.5, 2, 7], [2.5, 0, 2, 8])).toBe(0.5);
    expect(r2([1], [1])).toBeNull();
    expect(r2([5, 5], [5, 4])).toBeNull();
    expect(meanAbsoluteError([], [])).toBeNull();
  });
});

describe('keys', () => {
  it.each([
    ['C# minor', 'C# minor'],
    ['Db:min', 'C# minor'],
    ['f♯m', 'F# minor'],
    ['B flat major', 'A# major'],
    ['Bb', 'A# major'],
    ['b', 'B major'],
    ['CM', 'C major'],
    ['8B', 'C major'],
    ['5A', 'C minor'],
    ['12a', 'C# minor'],
    ['1B', 'B major'],
    ['Cb', 'B major'],
  ])('%s is %s', (name, wanted) => expect(keyName(key(name))).toBe(wanted));

  it.each(['', 'H major', 'C dorian', 'piano', '13A', 'Cb7', 'C constructor'])('“%s” is none', (name) =>
    expect(keyOf(name)).toBeNull(),
  );

  it.each([
    ['C major', 'C major', 1],
    ['C major', 'G major', 0.5],
    // mir_eval counts the fifth above alone.
    ['C major', 'F major', 0],
    ['C major', 'A minor', 0.3],
    ['A minor', 'C major', 0.3],
    ['C major', 'C minor', 0.2],
    ['A minor', 'E minor', 0.5],
    ['C major', 'E minor', 0],
  ])('%s heard as %s counts %s', (truth, said, score) => expect(keyScore(key(truth), key(said))).toBe(score));
});
