import { describe, expect, it } from 'vitest';
import { Excerpts } from '../../../engine/mistakes/excerpts.ts';
import { Verdicts } from '../../../engine/library/verdicts.ts';
import { HEARD_RATE } from '../../../models/mistakes/same-recording.ts';
import { Random } from '../../../models/numerics/random.ts';

const signal = new AbortController().signal;
const perSecond = 50;

/** Noise of a path, the same at every decoding, and how often each was decoded. */
function decoder(seconds: number) {
  const decoded: string[] = [];
  return {
    decoded,
    async *decode(path: string): AsyncGenerator<Float32Array, void> {
      decoded.push(path);
      // Versions of one recording are named alike up to a dash.
      const samples = new Random(path.charCodeAt(0)).normals(seconds * HEARD_RATE);
      const gain = path.includes('-') ? 0.1 : 0.5;
      yield await Promise.resolve(samples.map((value) => gain * value));
    },
  };
}

const steady = (seconds: number): Float32Array =>
  Float32Array.from({ length: 2 * seconds * perSecond }, (_, i) => (i % 2 ? 0.5 : -0.5));

describe('excerpts', () => {
  it('of short sounds are decoded once for all their pairs', async () => {
    const files = decoder(1);
    const excerpts = new Excerpts(
      (path) => ({ path, peaks: { values: steady(1), perSecond } }),
      files,
      signal,
    );
    expect(await excerpts.same('a', 'a-quiet')).toBe(true);
    expect(await excerpts.same('a', 'b')).toBe(false);
    expect(await excerpts.same('b', 'a-quiet')).toBe(false);
    expect(files.decoded.sort()).toEqual(['a', 'a-quiet', 'b']);
  });
  it('of tracks that are gone cannot be heard', async () => {
    const files = decoder(1);
    const excerpts = new Excerpts((path) => (path === 'gone' ? null : { path, peaks: null }), files, signal);
    expect(await excerpts.same('a', 'gone')).toBeNull();
    expect(files.decoded).toEqual([]);
  });
});

describe('verdicts', () => {
  it('are of two contents in any order, and of what could be heard', () => {
    const verdicts = new Verdicts();
    verdicts.put(['x', 'y'], false);
    verdicts.put(['x', 'z'], null);
    verdicts.put(['x', null], true);
    expect(verdicts.get(['y', 'x'])).toBe(false);
    expect(verdicts.get(['x', 'z'])).toBeUndefined();
    expect(verdicts.get(['x', null])).toBeUndefined();
  });
});
