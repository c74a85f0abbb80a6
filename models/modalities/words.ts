import { extname } from 'node:path';
import { fileToOpen } from '../audio/index.ts';
import { readBounded } from '../files/read.ts';
import { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import { decodeText } from '../text/index.ts';

/** Numbers per text. */
export const WORDS_DIM = 256;
/** Places that words and their parts are hashed to. */
export const WORD_BUCKETS = 2 ** 14;
/** Of one text. */
const MOST_WORDS = 20_000;
const MOST_LYRICS_BYTES = 1024 * 1024;
const PART = 3;

/** Words in their order, in lower case and without accents; nothing else counts. */
export function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, MOST_WORDS);
}

/**
 * Words without those of some phrases, wherever a whole phrase stands: what would give a class away.
 * @returns what is left, and how many phrases were taken out
 */
export function withoutPhrases(
  words: readonly string[],
  phrases: readonly (readonly string[])[],
): { words: string[]; left: number } {
  const kept: string[] = [];
  let left = 0;
  for (let i = 0; i < words.length;) {
    const found = phrases.find(
      (phrase) => phrase.length > 0 && phrase.every((word, k) => words[i + k] === word),
    );
    if (found) left += 1;
    else kept.push(words[i] ?? '');
    i += found?.length ?? 1;
  }
  return { words: kept, left };
}

/** How often words and their parts of three letters fall onto each place, as sorted places with counts. */
function bucketsOf(words: readonly string[]): Map<number, number> {
  const counts = new Map<number, number>();
  const add = (text: string): void => {
    const bucket = hash(text) % WORD_BUCKETS;
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  };
  for (const word of words) {
    add(`=${word}`);
    const whole = `^${word}$`;
    for (let i = 0; i + PART <= whole.length; i++) add(whole.slice(i, i + PART));
  }
  return counts;
}

/** FNV-1a over the units of a text. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV are weak.
  value ^= value >>> 16;
  return Math.imul(value, 0x85ebca6b) >>> 0;
}

/**
 * How rare each place is among texts: log((1 + n) / (1 + texts with it)) + 1.
 * @returns `[WORD_BUCKETS]` · @throws the signal's reason
 */
export async function rarity(
  texts: readonly (readonly string[])[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const pacer = new Pacer(signal);
  const seen = new Float32Array(WORD_BUCKETS);
  for (const words of texts) {
    for (const bucket of bucketsOf(words).keys()) seen[bucket] = at(seen, bucket) + 1;
    if (pacer.due(200 * words.length)) await pacer.pause();
  }
  return seen.map((count) => Math.log((1 + texts.length) / (1 + count)) + 1);
}

/**
 * A text as numbers: TF-IDF (1 + log of the count) of its words and their parts of three letters, thrown onto
 * {@link WORDS_DIM} directions by random signs that follow from the place (Achlioptas 2003), of length 1.
 * @returns all 0 for a text without words
 */
export function wordFeatures(words: readonly string[], rare: Float32Array): Float32Array {
  const sum = new Float64Array(WORDS_DIM);
  // In the order of places, so that the order of words does not change a bit.
  for (const [bucket, count] of [...bucketsOf(words)].sort(([a], [b]) => a - b)) {
    const weight = (1 + Math.log(count)) * at(rare, bucket);
    for (let d = 0; d < WORDS_DIM; d++)
      sum[d] =
        at(sum, d) +
        (((at(SIGNS, bucket * WORDS_SIGNS + (d >>> 5)) >>> (d & 31)) & 1) === 1 ? weight : -weight);
  }
  let squares = 0;
  for (const value of sum) squares += value * value;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  return Float32Array.from(sum, (value) => value * scale);
}

const WORDS_SIGNS = WORDS_DIM / 32;
/** Murmur's finaliser of the number of each place and word of bits. */
const SIGNS = Uint32Array.from({ length: WORD_BUCKETS * WORDS_SIGNS }, (_, i) => {
  let value = Math.imul(i + 1, 0x9e3779b9);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
});

/** What lyrics are called beside a recording. */
const LYRICS_ENDINGS = ['.lrc', '.txt'] as const;

/**
 * The lyrics that lie beside a recording under its name: timed (`.lrc`, without its times and headers) or plain (`.txt`).
 * @returns null where there are none, or they are no text, or longer than a mebibyte
 */
export async function lyricsBeside(path: string): Promise<string | null> {
  const stem = path.slice(0, path.length - extname(path).length);
  for (const ending of LYRICS_ENDINGS) {
    const file = fileToOpen(`${stem}${ending}`);
    const bytes = await readBounded(file, MOST_LYRICS_BYTES).catch(() => null);
    const text = bytes && decodeText(bytes);
    if (text && !text.includes('\0')) return plainLyrics(text);
  }
  return null;
}

/** Lyrics without the times and headers of LRC. */
export function plainLyrics(text: string): string {
  return text
    .split(/\r?\n|\r/)
    .filter((line) => !/^\s*\[[a-z#]+:[^\]]*\]\s*$/i.test(line))
    .map((line) => line.replace(/\[\d+:[\d.:]+\]|<\d+:[\d.:]+>/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}
