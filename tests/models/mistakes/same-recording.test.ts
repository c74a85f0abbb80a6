import { describe, expect, it } from 'vitest';
import { findDuplicates } from '../../../models/mistakes/near-duplicates.ts';
import { agreementOf, HEARD_RATE, outlineAgreement } from '../../../models/mistakes/same-recording.ts';
import { Random } from '../../../models/numerics/random.ts';

const noise = (seed: number): Float32Array => new Random(seed).normals(HEARD_RATE * 2);
const signal = new AbortController().signal;

describe('agreement of excerpts', () => {
  it('is 1 for a recording at another gain, moved by a codec, or upside down, and near 0 for another one', () => {
    const own = noise(1);
    expect(agreementOf(own, own)).toBeCloseTo(1, 6);
    expect(
      agreementOf(
        own,
        own.map((value) => 0.01 * value),
      ),
    ).toBeCloseTo(1, 6);
    const moved = new Float32Array(own.length);
    moved.set(own.subarray(0, -300), 300);
    expect(agreementOf(own, moved)).toBeGreaterThan(0.98);
    expect(agreementOf(moved, own)).toBeGreaterThan(0.98);
    expect(
      agreementOf(
        own,
        own.map((value) => -value),
      ),
    ).toBeCloseTo(1, 6);
    expect(agreementOf(own, noise(2))).toBeLessThan(0.1);
  });
  it('is 0 of silence, and falls where more of the sound is another', () => {
    expect(agreementOf(noise(1), new Float32Array(100))).toBe(0);
    const [own, other] = [noise(1), noise(2)];
    const half = own.map((value, i) => (i % 2 === 0 ? value : (other[i] ?? 0)));
    expect(agreementOf(own, half)).toBeCloseTo(0.5, 1);
  });
});

describe('agreement of outlines', () => {
  const fading = (of: (i: number) => number): Float32Array =>
    Float32Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? -1 : 1) * of(i >> 1));
  it('does not hear the gain, and tells what swells from what fades', () => {
    const fade = fading((i) => Math.exp(-i / 20));
    expect(
      outlineAgreement(
        fade,
        fade.map((value) => 0.3 * value),
      ),
    ).toBeCloseTo(1, 6);
    expect(
      outlineAgreement(
        fade,
        fading((i) => i / 100),
      ),
    ).toBeLessThan(0);
  });
  it('says nothing of what is steady, short or too quiet', () => {
    const fade = fading((i) => Math.exp(-i / 20));
    expect(
      outlineAgreement(
        fade,
        fade.map((value) => 0.02 * value),
      ),
    ).toBeNull();
    expect(
      outlineAgreement(
        fade,
        fading(() => 0.5),
      ),
    ).toBeNull();
    expect(outlineAgreement(fade.subarray(0, 20), fade.subarray(0, 20))).toBeNull();
  });
});

describe('copies that are heard', () => {
  const facts = (count: number) =>
    Array.from({ length: count }, (_, row) => ({ contentHash: String(row), durationSeconds: 3 }));
  const turned = (degrees: readonly number[]): Float32Array =>
    Float32Array.from(degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)]));

  it('are joined though they are less alike, and others are told apart though they are more', async () => {
    const asked: [number, number][] = [];
    const heard = (a: number, b: number): Promise<boolean> => {
      asked.push([a, b]);
      return Promise.resolve(a === 0 && b === 1);
    };
    // 0 and 1 are 25° apart (0.91), 1 and 2 only 1°; 3 is like none of them.
    const groups = await findDuplicates(facts(4), turned([0, 25, 26, 90]), 2, { signal, heard });
    expect(groups.map(({ rows, kind }) => [rows, kind])).toEqual([[[0, 1], 'sound']]);
    expect(asked.sort()).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
  });
  it('are counted for those who wait', async () => {
    const counts: string[] = [];
    const heard = (_a: number, _b: number, { done, total }: { done: number; total: number }) => {
      counts.push(`${String(done)} of ${String(total)}`);
      return Promise.resolve(false);
    };
    await findDuplicates(facts(3), turned([0, 25, 26]), 2, { signal, heard });
    expect(counts).toEqual(['0 of 3', '1 of 3', '2 of 3']);
  });
  it('are told by their similarity where their files cannot be read', async () => {
    const heard = (): Promise<null> => Promise.resolve(null);
    const groups = await findDuplicates(facts(3), turned([0, 25, 26]), 2, { signal, heard });
    expect(groups.map(({ rows }) => rows)).toEqual([[1, 2]]);
  });
  it('stay a group however many they are', async () => {
    const alike = turned(Array.from({ length: 12 }, (_, row) => row / 10));
    const heard = (): Promise<boolean> => Promise.resolve(true);
    const groups = await findDuplicates(facts(12), alike, 2, { signal, heard });
    expect(groups.map(({ rows }) => rows.length)).toEqual([12]);
    expect(await findDuplicates(facts(12), alike, 2, { signal })).toEqual([]);
  });
});
