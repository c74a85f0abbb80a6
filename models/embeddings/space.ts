import { createHash } from 'node:crypto';

/** What identifies a vector besides its track. Two vectors may be compared only within one space. */
export interface EmbeddingSpace {
  /** Hash of all in a pack that has a part in its vectors, see `Pack.encoderSha256`. */
  encoderSha256: string;
  /** Which windows of a track are embedded: all of them, or N evenly spaced. */
  windows: 'all' | number;
  /** How the audio is changed before it is embedded; null: not at all. */
  deformation: string | null;
}

/**
 * Names a space: 32 hexadecimal digits, equal for equal spaces on every machine. Databases hold it, so what it is made
 * of never changes.
 */
export function spaceKey({ encoderSha256, windows, deformation }: EmbeddingSpace): string {
  const text = JSON.stringify([encoderSha256, String(windows), deformation]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
