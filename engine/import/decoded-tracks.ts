import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { AudioWindow } from '../../models/audio/index.ts';
import type { TrackToEmbed } from './plan.ts';

/** A track that was decoded whole and waits to be embedded. */
export interface DecodedTrack {
  /** Samples in the whole track. */
  samples: number;
  notes: string[];
  /** Numbers of the windows that make the track. */
  wanted: number[];
  windows: AudioWindow[];
  peaks: Float32Array;
}

/** What the windows of a track depend on besides its content. */
export interface DecodedAs {
  sampleRate: number;
  windowSamples: number;
  windows: 'all' | number;
}

/** As many windows as can wait for the model: a longer track cannot wait whole, so there is at most one of them. */
export const MOST_KEPT_WINDOWS = 24;

const headerSchema = z.object({
  contentHash: z.string(),
  as: z.object({
    sampleRate: z.number(),
    windowSamples: z.number(),
    windows: z.union([z.literal('all'), z.number()]),
  }),
  samples: z.int(),
  notes: z.array(z.string()),
  wanted: z.array(z.int()),
  windows: z
    .array(z.object({ index: z.int(), startSample: z.int(), validSamples: z.int() }))
    .max(MOST_KEPT_WINDOWS),
  peaks: z.int().min(0),
  /** SHA-256 of the numbers behind the header. */
  numbers: z.string(),
});

/**
 * Short tracks wait for the model in batches, decoded whole. They are kept in files meanwhile, so that a process that is
 * killed does not decode them again. Not flushed: what a killed process wrote is there; after a power cut a file that is not
 * whole, or whose numbers are others, is passed over. Nothing here throws: without these files a track is decoded again.
 */
export class DecodedTracks {
  readonly #folder: string;
  readonly #as: DecodedAs;

  constructor(libraryFolder: string, as: DecodedAs) {
    this.#folder = join(libraryFolder, 'decoded');
    this.#as = as;
  }

  /** What an earlier process kept; null when that is nothing, or of another content. */
  take(track: TrackToEmbed): DecodedTrack | null {
    try {
      return this.#read(track, readFileSync(this.#fileOf(track.id)));
    } catch {
      return null;
    }
  }

  put(track: TrackToEmbed, { windows, peaks, ...facts }: DecodedTrack): void {
    if (track.contentHash === null || windows.length > MOST_KEPT_WINDOWS) return;
    // Not joined: that would copy all of it twice.
    const parts = [peaks, ...windows.map(({ samples }) => samples)].map(
      ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
    );
    const told: z.infer<typeof headerSchema> = {
      ...facts,
      contentHash: track.contentHash,
      as: this.#as,
      windows: windows.map(({ index, startSample, validSamples }) => ({ index, startSample, validSamples })),
      peaks: peaks.length,
      numbers: sha256(...parts),
    };
    const header = Buffer.from(`${JSON.stringify(told)}\n`);
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeAll(this.#fileOf(track.id), [header, ...parts]);
    } catch {
      // Then it is decoded again when it comes to that.
      this.drop(track);
    }
  }

  drop(track: TrackToEmbed): void {
    remove(this.#fileOf(track.id));
  }

  clear(): void {
    remove(this.#folder);
  }

  #read(track: TrackToEmbed, bytes: Buffer): DecodedTrack | null {
    const end = bytes.indexOf('\n');
    const {
      contentHash,
      as,
      windows,
      peaks,
      numbers: hash,
      ...facts
    } = headerSchema.parse(JSON.parse(bytes.toString('utf8', 0, end)));
    if (contentHash !== track.contentHash || JSON.stringify(as) !== JSON.stringify(this.#as)) return null;
    const { windowSamples } = this.#as;
    if (bytes.length !== end + 1 + 4 * (peaks + windows.length * windowSamples)) return null;
    const held = bytes.subarray(end + 1);
    if (sha256(held) !== hash) return null;
    // Copied: numbers in a file begin anywhere, in memory they may not.
    const numbers = new Float32Array(new Uint8Array(held).buffer);
    return {
      ...facts,
      peaks: numbers.slice(0, peaks),
      windows: windows.map((window, i) => ({
        ...window,
        samples: numbers.slice(peaks + i * windowSamples, peaks + (i + 1) * windowSamples),
      })),
    };
  }

  #fileOf(trackId: string): string {
    return join(this.#folder, `${trackId}.f32`);
  }
}

function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function writeAll(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  try {
    for (const part of parts)
      for (let written = 0; written < part.length;) written += writeSync(file, part, written);
  } finally {
    closeSync(file);
  }
}

/** Another program may hold a file open; what stays is passed over, and removed with the next import. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // See above.
  }
}
