import { ByteWindow } from '../byte-window.ts';
import type { Damage } from '../damage.ts';
import { audioLimits } from '../limits.ts';
import type { FileSource } from '../source.ts';
import { TAG_HEAD_BYTES, tagLength } from '../tag-blocks.ts';
import { findFrames, parseFrameHeader, type FrameHeader } from './header.ts';

export interface Frame {
  header: FrameHeader;
  /** The whole frame, header included. */
  bytes: Uint8Array;
}

/** Searched at a time for the next frame; holds several of the longest. */
const SEARCH_BYTES = 64 * 1024;
/** The longest frame (free format) and a header behind it. */
const LOOK_AHEAD = 8 * 1024;

function zerosAt(bytes: Uint8Array): number {
  const end = bytes.findIndex((byte) => byte !== 0);
  return end < 0 ? bytes.length : end;
}

/**
 * The MPEG audio frames of `[start, end)`, in order. Tags and zeros in between are passed over; anything else that is no
 * frame is damage.
 */
export async function* readFrames(
  source: FileSource,
  range: { start: number; end: number },
  signal: AbortSignal,
  damage: Damage,
): AsyncGenerator<Frame, void> {
  const window = new ByteWindow(source, range.start, range.end, signal);
  let current: FrameHeader | null = null;
  let gap = 0;
  const pass = (count: number, isDamage: boolean): void => {
    window.skip(count);
    gap += count;
    if (isDamage) damage.skip(count);
  };
  while (window.left > 0) {
    await window.need(LOOK_AHEAD);
    const { bytes } = window;
    const header = parseFrameHeader(bytes, 0, current?.freeBytes ?? null);
    if (header?.kind === 'mp3' && header.key === current?.key) {
      if (header.length > window.left) return; // Cut off in the middle.
      damage.read(header.length);
      gap = 0;
      yield { header, bytes: bytes.subarray(0, header.length) };
      window.skip(header.length);
      continue;
    }
    if (gap > audioLimits.gapBytes) {
      damage.note(`Reading stopped after ${Math.floor(gap / 2 ** 20)} MB without audio.`);
      damage.skip(window.left);
      return;
    }
    const tag = tagLength(bytes);
    const passable = tag > 0 ? tag : zerosAt(bytes);
    if (passable > 0) {
      pass(Math.min(passable, window.left), false);
      continue;
    }
    await window.need(SEARCH_BYTES);
    const found = findFrames(window.bytes, window.complete);
    if (found?.header.kind === 'mp3') {
      // From here on such headers count without looking at the frames behind them.
      current = found.header;
      if (found.offset > 0) pass(junkBefore(window.bytes, found.offset), true);
      continue;
    }
    if (window.complete) {
      damage.skip(window.left);
      return;
    }
    // Frames that begin near the end could not be confirmed: look again with more behind them.
    pass(junkBefore(window.bytes, window.bytes.length - LOOK_AHEAD), true);
  }
}

/** Junk up to `end`, but not beyond a tag, which is no damage. */
function junkBefore(bytes: Uint8Array, end: number): number {
  for (let i = 1; i < end; i++) {
    const byte = bytes[i];
    if (byte !== 0x49 && byte !== 0x54 && byte !== 0x41 && byte !== 0x4c) continue; // I, T, A, L
    if (tagLength(bytes.subarray(i, i + TAG_HEAD_BYTES)) > 0) return i;
  }
  return end;
}
