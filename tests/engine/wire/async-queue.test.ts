import { describe, expect, it } from 'vitest';
import { AsyncQueue } from '../../../engine/wire/async-queue.ts';

async function read<T>(queue: AsyncQueue<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of queue) values.push(value);
  return values;
}

describe('AsyncQueue', () => {
  it('gives values in order, also undefined, and ends', async () => {
    const queue = new AsyncQueue<number | undefined>();
    const all = read(queue);
    queue.push(1);
    await Promise.resolve();
    queue.push(undefined);
    queue.push(3);
    queue.end();
    queue.push(4);
    expect(await all).toEqual([1, undefined, 3]);
  });

  it('fails after what came before, or at once', async () => {
    const late = new AsyncQueue<number>();
    late.push(1);
    late.fail(new Error('late'));
    expect(await late.next()).toEqual({ done: false, value: 1 });
    await expect(late.next()).rejects.toThrow('late');
    const early = new AsyncQueue<number>();
    early.push(1);
    early.end();
    early.abandon(new Error('early'));
    await expect(early.next()).rejects.toThrow('early');
  });

  it('lets writers wait for room, and go when the reader has left', async () => {
    const queue = new AsyncQueue<number>(2);
    let written = 0;
    const write = (async () => {
      for (let i = 0; i < 5; i++) {
        await queue.put(i);
        written++;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(written).toBe(2);
    await queue.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(written).toBe(3);
    await queue.return();
    await write;
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('holds several writers back and loses nothing', async () => {
    const queue = new AsyncQueue<number>(2);
    let written = 0;
    const writers = [0, 100].map(async (first) => {
      for (let i = first; i < first + 10; i++) {
        await queue.put(i);
        written++;
      }
    });
    void Promise.all(writers).then(() => queue.end());
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(written).toBe(2);
    const read: number[] = [];
    for await (const value of queue) read.push(value);
    expect(read.sort((a, b) => a - b)).toEqual(
      [0, 100].flatMap((f) => Array.from({ length: 10 }, (_, i) => f + i)),
    );
  });

  it('tells waiting writers why it failed', async () => {
    const queue = new AsyncQueue<number>(1);
    await queue.put(1);
    const waiting = queue.put(2);
    queue.fail(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });

  it('takes out what is out of date', async () => {
    const queue = new AsyncQueue<number>();
    for (const value of [1, 2, 3]) queue.push(value);
    queue.remove((value) => value === 2);
    queue.end();
    expect(await read(queue)).toEqual([1, 3]);
  });
});
