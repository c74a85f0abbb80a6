import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  lyricsBeside,
  plainLyrics,
  rarity,
  withoutPhrases,
  wordFeatures,
  wordsOf,
  WORDS_DIM,
} from '../../../models/modalities/words.ts';

const folder = mkdtempSync(join(tmpdir(), 'archetone-lyrics-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('words', () => {
  it('are letters and digits without case and accents, in any script', () => {
    expect(wordsOf('Où est l’Été? №5 — Ｄ2 «Тишина»')).toEqual([
      'ou',
      'est',
      'l',
      'ete',
      'no5',
      'd2',
      'тишина',
    ]);
  });

  it('lose a phrase that would give the class away, as a whole only', () => {
    const phrases = [wordsOf('Deep House')];
    expect(withoutPhrases(wordsOf('deep house in a deep blue house, DEEP-HOUSE!'), phrases)).toEqual({
      words: ['in', 'a', 'deep', 'blue', 'house'],
      left: 2,
    });
    expect(withoutPhrases(['a'], [[]])).toEqual({ words: ['a'], left: 0 });
  });

  it('become numbers in which texts of the same rare words are near, in whatever order, and common ones count little', async () => {
    const texts = [
      'the sea and the storm',
      'the storm on the sea',
      'the love of the city',
      'the night in the city',
      'the tree',
    ].map(wordsOf);
    const rare = await rarity(texts);
    const [a, b, c] = texts.map((words) => wordFeatures(words, rare));
    const dot = (x: Float32Array = new Float32Array(), y: Float32Array = new Float32Array()): number =>
      x.reduce((sum: number, value, i) => sum + value * (y[i] ?? 0), 0);
    expect(a).toHaveLength(WORDS_DIM);
    expect(dot(a, a)).toBeCloseTo(1, 5);
    expect(dot(a, b)).toBeGreaterThan(0.6);
    expect(dot(a, c)).toBeLessThan(0.4);
    expect(wordFeatures(wordsOf('storm the and sea the'), rare)).toEqual(a);
    expect(wordFeatures([], rare).every((value) => value === 0)).toBe(true);
    // A part of a word is enough to be near it.
    expect(dot(wordFeatures(['storms'], rare), wordFeatures(['storm'], rare))).toBeGreaterThan(0.3);
  });
});

describe('lyrics', () => {
  it('are read from what lies beside a recording, without times and headers', async () => {
    expect(
      plainLyrics('[ar:Somebody]\r\n[00:12.50]Hello <00:13.00>sea\n\n[01:02.1][02:03.4] again\n[Chorus]'),
    ).toBe('Hello  sea\nagain\n[Chorus]');
    const track = join(folder, 'a.b', '..', 'song 1.2.mp3');
    expect(await lyricsBeside(track)).toBeNull();
    writeFileSync(join(folder, 'song 1.2.txt'), Buffer.from('caf\xe9', 'latin1'));
    expect(await lyricsBeside(track)).toBe('café');
    writeFileSync(join(folder, 'song 1.2.lrc'), '[00:01.00]timed');
    expect(await lyricsBeside(track)).toBe('timed');
    writeFileSync(join(folder, 'song 1.2.lrc'), Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 1]));
    expect(await lyricsBeside(track)).toBe('café');
  });
});
