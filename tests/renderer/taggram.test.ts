import { describe, expect, it } from 'vitest';
import type { Taggram } from '../../engine/api/tags.ts';
import { patchAt, strongestRows, Taggrams } from '../../renderer/src/player/taggrams.svelte.ts';

const taggram: Taggram = {
  packId: 'tagger',
  headId: null,
  positive: null,
  classes: ['blues', 'jazz', 'rock'],
  startSeconds: Float32Array.of(0, 1, 3),
  patchSeconds: 2,
  values: Float32Array.of(0.25, 0.5, 1, 0.25, 0.5, 0, 0.25, 0.5, 1),
  means: Float32Array.of(0.25, 0.5, 0.75),
  seconds: 6,
  note: null,
};

describe('a taggram', () => {
  it('shows the tags of the largest means first, each over time', () => {
    expect(strongestRows(taggram, 2)).toEqual([
      { name: 'rock', mean: 0.75, values: Float32Array.of(1, 0, 1) },
      { name: 'jazz', mean: 0.5, values: Float32Array.of(0.5, 0.5, 0.5) },
    ]);
  });

  it('says at a time what the patch that began last said, and nothing behind the end of the last', () => {
    expect([-1, 0, 0.9, 1, 2.9, 3, 5, 5.1].map((seconds) => patchAt(taggram, seconds))).toEqual([
      -1, 0, 0, 1, 1, 2, 2, -1,
    ]);
  });

  it('stops what it asked for when another track is shown, and says what went wrong', async () => {
    const signals: AbortSignal[] = [];
    const answers = [
      new Promise<Taggram>(() => undefined),
      Promise.resolve(taggram),
      Promise.reject(new Error('no')),
    ];
    const call = (_method: string, _input: unknown, options?: { signal?: AbortSignal }) => {
      if (options?.signal) signals.push(options.signal);
      return answers[signals.length - 1] ?? Promise.resolve(taggram);
    };
    const taggrams = new Taggrams({ call: call as never });
    const of = (trackId: string) => ({ libraryId: 'l', trackId, packId: 'tagger', headId: null });
    void taggrams.show(of('1'));
    expect(taggrams.note).toBe('Listening for tags…');
    await taggrams.show(of('2'));
    expect([signals[0]?.aborted, taggrams.value, taggrams.note]).toEqual([true, taggram, '']);
    await taggrams.show(of('2'));
    expect(signals).toHaveLength(2);
    await taggrams.show(of('3'));
    expect([taggrams.value, taggrams.note === '']).toEqual([null, false]);
    await taggrams.show(null);
    expect(taggrams.note).toBe('');
  });
});
