import { AudioError } from './errors.ts';
import { findFrames } from './mp3/header.ts';
import { parseInfoFrame } from './mp3/info-frame.ts';
import { sniff, type Sniffed } from './sniff.ts';
import { FileSource } from './source.ts';
import { wavIsPlain } from './wav.ts';

/** Looked through for a second stream, and how much at a time. */
const MOST_OGG_BYTES = 256 * 2 ** 20;
const OGG_STEP = 2 ** 20;
const BEGINS_STREAM = 2;

type Check = (source: FileSource, sniffed: Sniffed) => boolean | Promise<boolean>;

/** Places in an mp3 that are looked at. */
const PLACES = 32;
const PLACE_BYTES = 16 * 1024;
/** Times as many frames as announced: more than a guess from places errs, less than two songs in one file. */
const MOST_FRAMES = 1.5;

/** One stream: only its first page begins one (RFC 3533 §6). */
async function oggIsPlain(source: FileSource, { start }: Sniffed): Promise<boolean> {
  if (start > 0) return false;
  let begun = 0;
  let held = Buffer.alloc(0);
  const end = Math.min(source.size, MOST_OGG_BYTES);
  for await (const bytes of source.chunks(0, end, new AbortController().signal, OGG_STEP)) {
    const joined = Buffer.concat([held, bytes]);
    for (let at = joined.indexOf('OggS'); at >= 0; at = joined.indexOf('OggS', at + 4))
      if (at + 5 < joined.length && ((joined[at + 5] ?? 0) & BEGINS_STREAM) !== 0) begun++;
    // The page that begins across the end is seen next time.
    held = joined.subarray(Math.max(0, joined.length - 5));
  }
  return begun === 1;
}

/** Frames of one kind as far as samples of the file tell, and about as many as their information frame says. */
async function mpegIsPlain(source: FileSource, { start, frame }: Sniffed): Promise<boolean> {
  if (frame === undefined || frame.freeBytes !== undefined) return false;
  let [bytes, frames] = [0, 0];
  for (let place = 0; place < PLACES; place++) {
    const at = start + Math.floor(((source.size - start) * place) / PLACES);
    const found = findFrames(await source.read(at, PLACE_BYTES), true);
    if (found === null) continue;
    if (found.header.key !== frame.key) return false;
    bytes += found.header.length;
    frames++;
  }
  const announced = parseInfoFrame(await source.read(start, frame.length))?.frames ?? null;
  const counted = ((source.size - start) * frames) / Math.max(1, bytes);
  return announced === null || counted < MOST_FRAMES * announced;
}

const checks: Partial<Record<Sniffed['container'], Check>> = {
  wav: (source, { start }) => wavIsPlain(source, start),
  flac: (_source, { start }) => start === 0,
  ogg: oggIsPlain,
  mp3: mpegIsPlain,
  m4a: () => true,
};

/**
 * Whether other programs, Chromium among them, read the same from a file as this one: one stream, whose header is true.
 * It decodes nothing; of mp3 it looks at some places only.
 * @throws AudioError missing, unreadable, empty
 */
export async function isPlain(path: string): Promise<boolean> {
  const source = await FileSource.open(path);
  try {
    const sniffed = await sniff(source);
    return sniffed.foreign === undefined && ((await checks[sniffed.container]?.(source, sniffed)) ?? false);
  } catch (thrown) {
    if (thrown instanceof AudioError && thrown.code !== 'unreadable' && thrown.code !== 'missing')
      return false;
    throw thrown;
  } finally {
    await source.close();
  }
}
