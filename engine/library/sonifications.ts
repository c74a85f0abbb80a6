import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type Sonification, type SoundStart, defaultSoundOrigin } from '../api/sonify.ts';
import type { MediaTokens } from '../media.ts';
import { toBlob, type Database } from '../storage/database.ts';

/** What makes a sound: the same key always gives the same sound. */
export interface SonificationKey {
  packSha256: string;
  vectorSha256: string;
  seed: number;
  steps: number;
  guidance: number;
  /** Null: noise. */
  recording: SoundRecordingKey | null;
}

const recordingSchema = z.object({
  share: z.number(),
  contentHash: z.string(),
  trackId: z.string(),
  title: z.string(),
  path: z.string(),
  windowIndex: z.number(),
  startSeconds: z.number(),
});

/** The recording that a sound began with, and the share of noise over it. */
export type SoundRecordingKey = z.output<typeof recordingSchema>;

interface SonificationRow {
  id: string;
  seed: number;
  steps: number;
  guidance: number;
  file: string;
  duration_seconds: number;
  rms_dbfs: number;
  gain_db: number;
  cycle_cosine: number;
  recording: string | null;
}

const COLUMNS =
  'id, seed, steps, guidance, recording, file, duration_seconds, rms_dbfs, gain_db, cycle_cosine';
/** Folder of the sounds inside the library's data folder. */
export const SOUNDS_FOLDER = 'sonifications';
/** Folder in a library's data folder of what nobody can ask for any more when the engine starts again. */
export const PASSING_FOLDER = 'passing';
/** Whoever listened to a first draw has it, or the sound itself, by then. */
const FIRST_SOUND_MS = 10 * 60_000;

export function vectorHash(vector: Float32Array): string {
  return createHash('sha256').update(toBlob(vector)).digest('hex');
}

/** Identifier, and name of the WAV file, of a sound. */
export function sonificationId(key: SonificationKey): string {
  const { recording } = key;
  // Where a recording lies and what it is called makes no difference to the sound.
  const from = recording && [recording.share, recording.contentHash, recording.windowIndex];
  const text = [key.packSha256, key.vectorSha256, key.seed, key.steps, key.guidance, ...(from ?? [])];
  return createHash('sha256').update(text.join('\n')).digest('hex').slice(0, 32);
}

/** What a sound with that key says it began with. */
export function soundStart(recording: SoundRecordingKey | null): SoundStart {
  if (recording === null) return { origin: 'noise' };
  const { share, trackId, title, path, windowIndex, startSeconds } = recording;
  return { origin: 'recording', share, recording: { trackId, title, path, windowIndex, startSeconds } };
}

/** What the first draw of a sound is called. */
export function firstSoundId(id: string): string {
  return `${id}.first`;
}

/** The sounds of a library: what they were made with, and where their files lie. */
export class SonificationRepository {
  readonly #db: Database;
  readonly #folder: string;

  constructor(db: Database, cacheFolder: string) {
    this.#db = db;
    this.#folder = cacheFolder;
  }

  /** Absolute path of the WAV file of a sound. */
  path(id: string): string {
    return join(this.#folder, SOUNDS_FOLDER, `${id}.wav`);
  }

  /** Absolute path of the WAV file of the first draw of a sound, which is there only while somebody may be listening to it. */
  firstPath(id: string): string {
    return this.passingPath(firstSoundId(id));
  }

  /** Absolute path of a WAV file that is not kept: it goes some time after it was last written. */
  passingPath(name: string): string {
    return join(this.#folder, PASSING_FOLDER, `${name}.wav`);
  }

  /** Removes what is not kept and nobody listens to any more; the rest go when the engine starts again. */
  async sweepFirst(): Promise<void> {
    const folder = join(this.#folder, PASSING_FOLDER);
    const names = await readdir(folder).catch(() => []);
    for (const path of names.map((name) => join(folder, name))) {
      // Another job may have removed it, or the system keeps it while it is played.
      const info = await stat(path).catch(() => null);
      if (info && Date.now() - info.mtimeMs > FIRST_SOUND_MS)
        await rm(path, { force: true }).catch(() => undefined);
    }
  }

  /** The sound of that key when it was made before and its file is still there. */
  find(media: MediaTokens, id: string): Sonification | null {
    const row = this.#db
      .prepare<SonificationRow>(`SELECT ${COLUMNS} FROM cache.sonifications WHERE id = ?`)
      .get([id]);
    return row ? this.#fromRow(media, row) : null;
  }

  /** The newest sound of a vector, preferring those made in the default way with the pack's own steps and guidance. */
  latest(
    media: MediaTokens,
    wanted: {
      packSha256: string;
      vector: Float32Array;
      sampler: { steps: number; guidance: number } | null;
    },
  ): Sonification | null {
    const rows = this.#db
      .prepare<SonificationRow>(
        `SELECT ${COLUMNS} FROM cache.sonifications WHERE pack_sha256 = ? AND vector_sha256 = ?
         ORDER BY coalesce(recording ->> 'share', 0) = ? DESC, (steps = ? AND guidance = ?) DESC,
                  created_at DESC, id`,
      )
      .all([
        wanted.packSha256,
        vectorHash(wanted.vector),
        defaultSoundOrigin.origin === 'recording' ? defaultSoundOrigin.share : 0,
        wanted.sampler?.steps ?? 0,
        wanted.sampler?.guidance ?? 0,
      ]);
    for (const row of rows) {
      const sonification = this.#fromRow(media, row);
      if (sonification) return sonification;
    }
    return null;
  }

  insert(
    id: string,
    key: SonificationKey,
    facts: Pick<Sonification, 'durationSeconds' | 'rmsDbfs' | 'gainDb' | 'cycleCosine'>,
  ): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO cache.sonifications (id, pack_sha256, vector_sha256, seed, steps, guidance, recording, file,
           duration_seconds, rms_dbfs, gain_db, cycle_cosine, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([
        id,
        key.packSha256,
        key.vectorSha256,
        key.seed,
        key.steps,
        key.guidance,
        key.recording && JSON.stringify(recordingSchema.parse(key.recording)),
        `${id}.wav`,
        facts.durationSeconds,
        facts.rmsDbfs,
        facts.gainDb,
        facts.cycleCosine,
        new Date().toISOString(),
      ]);
  }

  /** Null when the file is gone: a cache may lose files at any time. */
  #fromRow(media: MediaTokens, row: SonificationRow): Sonification | null {
    const path = join(this.#folder, SOUNDS_FOLDER, row.file);
    if (!existsSync(path)) return null;
    return {
      id: row.id,
      url: media.urlFor(path, 'audio/wav'),
      seed: row.seed,
      steps: row.steps,
      guidance: row.guidance,
      from: soundStart(row.recording === null ? null : recordingSchema.parse(JSON.parse(row.recording))),
      durationSeconds: row.duration_seconds,
      rmsDbfs: row.rms_dbfs,
      gainDb: row.gain_db,
      cycleCosine: row.cycle_cosine,
    };
  }
}
