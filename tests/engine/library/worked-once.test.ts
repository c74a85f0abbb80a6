import { describe, expect, it } from 'vitest';
import { WorkedOnce } from '../../../engine/library/worked-once.ts';

describe('kept values', () => {
  it('are worked out once, however many ask meanwhile', async () => {
    const kept = new WorkedOnce<number>(2);
    let made = 0;
    const make = async () => {
      await Promise.resolve();
      return ++made;
    };
    expect(await Promise.all([kept.of('a', make), kept.of('a', make), kept.of('a', make)])).toEqual([
      1, 1, 1,
    ]);
  });

  it('are worked out again where whoever began let go', async () => {
    const kept = new WorkedOnce<number>(2);
    const first = kept.of('a', () => Promise.reject(new Error('aborted')));
    const second = kept.of('a', () => Promise.resolve(7));
    await expect(first).rejects.toThrow('aborted');
    expect(await second).toBe(7);
  });

  it('go where others were asked for since', async () => {
    const kept = new WorkedOnce<number>(2);
    let made = 0;
    const make = () => Promise.resolve(++made);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await kept.of(key, make);
    // a, b and c, then b anew.
    expect(made).toBe(4);
  });
});
