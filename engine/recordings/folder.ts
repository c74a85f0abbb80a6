import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { EngineError } from '../api/errors.ts';
import { RECORDING_RATE, SILENT_RECORDING_DBFS, type Recording } from '../api/recordings.ts';
import { writeNew } from '../bundles/write-new.ts';
import { storageError } from '../storage/errors.ts';

const ENDING = '.wav';
/** Before the samples of a file written by `encodeWav`. */
const HEADER_BYTES = 44;
const SAMPLE_BYTES = 2;
const SHORTEST_SECONDS = 0.1;
/** What {@link keepRecording} calls a file: others that somebody put there are none of ours, and stay. */
const OWN_NAME = /^recording-\d{4}-\d{2}-\d{2}-\d{6}(-\d+)?\.wav$/;

/** Where recordings lie; nothing else does. */
export const recordingsFolder = (dataFolder: string): string => join(dataFolder, 'recordings');

const fileOf = (folder: string, id: string): string => join(folder, `${id}${ENDING}`);

/**
 * Keeps samples as a WAV file.
 * @param pcm 16-bit mono, the lower byte first, at {@link RECORDING_RATE}
 * @throws EngineError `audio` for what is too short or silent, `disk-full`
 */
export async function keepRecording(folder: string, pcm: Uint8Array, now: Date): Promise<Recording> {
  const samples = samplesOf(pcm);
  if (samples.length < SHORTEST_SECONDS * RECORDING_RATE)
    throw new EngineError(
      'audio',
      'The recording is too short to hear anything in it.',
      'Record for longer.',
    );
  let peak = 0;
  for (let i = 0; i < samples.length; i++) peak = Math.max(peak, Math.abs(samples[i] ?? 0));
  if (peak < 10 ** (SILENT_RECORDING_DBFS / 20))
    throw new EngineError(
      'audio',
      `The recording is silent: nothing in it is louder than ${String(SILENT_RECORDING_DBFS).replace('-', '−')} dB.`,
      'Choose another microphone, or see whether it is muted or turned down, and record again.',
    );
  try {
    await mkdir(folder, { recursive: true });
    const id = await freeId(folder, now);
    await writeNew(fileOf(folder, id), encodeWav(samples, RECORDING_RATE, 'pcm16'));
    return await recordingOf(folder, id);
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}

/** The newest first. */
export async function listRecordings(folder: string): Promise<Recording[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => OWN_NAME.test(name));
  const all = await Promise.all(
    names.map((name) => recordingOf(folder, name.slice(0, -ENDING.length)).catch(() => null)),
  );
  return all
    .filter((recording) => recording !== null)
    .sort((a, b) => b.recordedAt.localeCompare(a.recordedAt) || b.id.localeCompare(a.id));
}

/** @throws EngineError where the system does not let them go */
export async function removeRecordings(folder: string, ids: readonly string[]): Promise<void> {
  try {
    for (const id of ids) await rm(fileOf(folder, id), { force: true });
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}

async function recordingOf(folder: string, id: string): Promise<Recording> {
  const path = fileOf(folder, id);
  const { size, mtime } = await stat(path);
  const durationSeconds = Math.max(0, size - HEADER_BYTES) / SAMPLE_BYTES / RECORDING_RATE;
  return { id, path, durationSeconds, bytes: size, recordedAt: mtime.toISOString() };
}

/** Named by the clock of whoever recorded it, since that is what they look for. */
async function freeId(folder: string, now: Date): Promise<string> {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  const name = `recording-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const taken = new Set(await readdir(folder));
  let id = name;
  for (let n = 2; taken.has(`${id}${ENDING}`); n++) id = `${name}-${String(n)}`;
  return id;
}

function samplesOf(pcm: Uint8Array): Float32Array {
  const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  const samples = new Float32Array(Math.floor(pcm.byteLength / SAMPLE_BYTES));
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * SAMPLE_BYTES, true) / 32_768;
  return samples;
}
