/** A musical key: its tonic as a pitch class (C = 0) and its mode. */
export interface Key {
  tonic: number;
  mode: 'major' | 'minor';
}

const LETTERS: Readonly<Record<string, number>> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };
const NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
/** Numbers of DJs: 8B is C major, 5A is C minor. */
const CAMELOT = /^(1[0-2]|[1-9])\s*([ab])$/i;
const WORDS = /^([a-g])\s*(##|#|♯|bb|b|♭|sharp|flat)?[\s:_-]*(.*)$/i;
const MODES = new Map<string, Key['mode']>([
  ['', 'major'],
  ['maj', 'major'],
  ['major', 'major'],
  ['m', 'minor'],
  ['min', 'minor'],
  ['minor', 'minor'],
]);
const SHIFTS: Readonly<Record<string, number>> = {
  '#': 1,
  '♯': 1,
  sharp: 1,
  '##': 2,
  b: -1,
  '♭': -1,
  flat: -1,
  bb: -2,
};

/** A key by its name: “C# minor”, “Db:maj”, “f♯m”, “8A”. @returns null for anything else */
export function keyOf(name: string): Key | null {
  const text = name.trim();
  const wheel = CAMELOT.exec(text);
  if (wheel) {
    const steps = Number(wheel[1]) - 8;
    const minor = wheel[2]?.toLowerCase() === 'a';
    return { tonic: (((7 * steps + (minor ? 9 : 0)) % 12) + 12) % 12, mode: minor ? 'minor' : 'major' };
  }
  const found = WORDS.exec(text);
  const letter = LETTERS[found?.[1]?.toLowerCase() ?? ''];
  const word = found?.[3] ?? '?';
  const mode = MODES.get(word === 'M' ? 'major' : word.toLowerCase());
  if (letter === undefined || mode === undefined) return null;
  return { tonic: (letter + (SHIFTS[found?.[2]?.toLowerCase() ?? ''] ?? 0) + 12) % 12, mode };
}

/** “C# minor”: with sharps, as mir_ref writes them. */
export const keyName = ({ tonic, mode }: Key): string => `${NAMES[tonic] ?? ''} ${mode}`;

/**
 * How right a key is, as MIREX weighs it: 1 the same, 0.5 a perfect fifth above in the same mode, 0.3 the relative key,
 * 0.2 the parallel key, else 0 (mir_eval’s `key.weighted_score`).
 */
export function keyScore(truth: Key, said: Key): number {
  const apart = (said.tonic - truth.tonic + 12) % 12;
  if (said.mode === truth.mode) return apart === 0 ? 1 : apart === 7 ? 0.5 : 0;
  if (apart === (truth.mode === 'major' ? 9 : 3)) return 0.3;
  return apart === 0 ? 0.2 : 0;
}
