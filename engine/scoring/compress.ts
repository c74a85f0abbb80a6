import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import type { Deformation } from '../../models/benchmarks/deformations.ts';
import { findProgram } from '../decode/find-program.ts';
import { inScratch } from '../files/scratch.ts';

const run = promisify(execFile);
const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y'];
const TIMEOUT_MS = 60_000;

/** Whether the system has an ffmpeg that writes MP3. */
export async function canCompress(): Promise<boolean> {
  const { stdout } = await ffmpeg(['-hide_banner', '-encoders']).catch(() => ({ stdout: '' }));
  return stdout.includes('libmp3lame');
}

async function ffmpeg(options: readonly string[]): Promise<{ stdout: string }> {
  const program = await findProgram('ffmpeg');
  if (program === null) throw new Error('There is no ffmpeg on this computer.');
  return run(program, options, { timeout: TIMEOUT_MS });
}

/** Mono samples as MP3, by the system's ffmpeg. */
export async function toMp3(samples: Float32Array, sampleRate: number, kbps: number): Promise<Uint8Array> {
  return throughFiles(encodeWav(samples, sampleRate, 'float32'), 'wav', 'mp3', ['-b:a', `${kbps}k`]);
}

/** As MP3 and back, aligned with what went in. */
export async function thereAndBack(
  samples: Float32Array,
  sampleRate: number,
  kbps: number,
): Promise<Float32Array> {
  const packed = await toMp3(samples, sampleRate, kbps);
  const raw = await throughFiles(packed, 'mp3', 'f32', ['-f', 'f32le', '-ac', '1', '-ar', `${sampleRate}`]);
  const decoded = new Float32Array(
    raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength - (raw.byteLength % 4)),
  );
  const out = new Float32Array(samples.length);
  out.set(decoded.subarray(0, samples.length));
  return out;
}

export const mp3Deformation: Deformation = {
  name: 'MP3 at 64 kbit/s',
  apply: (samples, sampleRate) => thereAndBack(samples, sampleRate, 64),
};

async function throughFiles(
  bytes: Uint8Array,
  from: string,
  to: string,
  options: readonly string[],
): Promise<Uint8Array> {
  return inScratch('compress', async (folder) => {
    const [input, output] = [join(folder, `in.${from}`), join(folder, `out.${to}`)];
    await writeFile(input, bytes);
    await ffmpeg([...QUIET, '-i', input, ...options, output]);
    return await readFile(output);
  });
}
