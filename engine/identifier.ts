import { randomBytes } from 'node:crypto';

// Crockford's alphabet: no letters that are mistaken for digits.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A new identifier: 26 characters, ordered by the time it was made, unguessable (ULID). */
export function newId(now = Date.now()): string {
  let time = '';
  for (let left = now, i = 0; i < 10; i++, left = Math.floor(left / 32)) {
    time = ALPHABET.charAt(left % 32) + time;
  }
  let random = '';
  for (const byte of randomBytes(16)) random += ALPHABET.charAt(byte % 32);
  return time + random;
}
