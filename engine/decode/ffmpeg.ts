import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { AudioError, type ExternalDecoder, type PcmStream } from '../../models/audio/index.ts';

type Ffmpeg = ChildProcessByStdio<null, Readable, Readable>;

/** AU header (Sun, 1992): magic, offset of the data, size, encoding, rate, channels, each 32 bits, big-endian. */
const AU_HEADER_BYTES = 24;
const AU_MAGIC = 0x2e736e64;
const AU_FLOAT32 = 6;
const STDERR_BYTES = 4096;

/**
 * AU is asked for because its header tells rate and channels, and because, unlike WAV, it has no limit of length when
 * written to a pipe. Only local files may be opened, whatever the file claims to refer to.
 */
function ffmpegArguments(path: string): string[] {
  const input = ['-protocol_whitelist', 'file', '-i', `file:${path}`];
  const output = ['-map', '0:a:0', '-vn', '-sn', '-dn', '-c:a', 'pcm_f32be', '-f', 'au', 'pipe:1'];
  return ['-nostdin', '-hide_banner', '-v', 'error', ...input, ...output];
}

/** Resolves when the process is gone; never rejects. */
function ending(child: Ffmpeg): Promise<{ code: number | null; failure: NodeJS.ErrnoException | null }> {
  return new Promise((resolve) => {
    child.once('error', (failure) => resolve({ code: null, failure }));
    child.once('close', (code) => resolve({ code, failure: null }));
  });
}

/** Joins what is left over with what is new. */
function concat(left: Buffer, right: Buffer): Buffer {
  return left.length === 0 ? right : Buffer.concat([left, right]);
}

function splitChannels(bytes: Buffer, channels: number): Float32Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames = bytes.length / (4 * channels);
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let i = 0; i < frames; i++) samples[i] = view.getFloat32((i * channels + channel) * 4, false);
    return samples;
  });
}

interface AuHeader {
  dataStart: number;
  sampleRate: number;
  channels: number;
}

function parseHeader(bytes: Buffer): AuHeader | null {
  if (
    bytes.length < AU_HEADER_BYTES ||
    bytes.readUInt32BE(0) !== AU_MAGIC ||
    bytes.readUInt32BE(12) !== AU_FLOAT32
  )
    return null;
  return {
    dataStart: bytes.readUInt32BE(4),
    sampleRate: bytes.readUInt32BE(16),
    channels: bytes.readUInt32BE(20),
  };
}

function whyNothing(
  end: Awaited<ReturnType<typeof ending>>,
  stderr: string,
  path: string,
  program: string,
): AudioError {
  if (end.failure?.code === 'ENOENT') {
    return new AudioError(
      'needs-external-decoder',
      `This file needs ffmpeg, which was not found (${program}): ${path}`,
    );
  }
  const reason = end.failure?.message ?? (stderr.trim().split('\n').at(-1) || `exit code ${end.code}`);
  return new AudioError('corrupt', `ffmpeg could not decode the file (${reason}): ${path}`);
}

/** Samples as they come; waits for the process at the end, and kills it when left early. */
async function* readSamples(
  child: Ffmpeg,
  start: Buffer,
  header: AuHeader,
  signal: AbortSignal,
): AsyncGenerator<Float32Array[], void> {
  const frameBytes = 4 * header.channels;
  let rest = start.subarray(header.dataStart);
  try {
    for (;;) {
      const whole = rest.length - (rest.length % frameBytes);
      if (whole > 0) yield splitChannels(rest.subarray(0, whole), header.channels);
      rest = rest.subarray(whole);
      const next = await readPiece(child.stdout);
      signal.throwIfAborted();
      if (next === null) return;
      rest = concat(rest, next);
    }
  } finally {
    child.kill('SIGKILL');
  }
}

/** The next bytes of a pipe, or null at its end. */
function readPiece(pipe: Readable): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const take = (): void => {
      const bytes = pipe.read() as Buffer | null;
      if (bytes === null && !pipe.readableEnded && !pipe.destroyed) return;
      pipe.off('readable', take).off('end', take).off('close', take);
      resolve(bytes);
    };
    pipe.on('readable', take).on('end', take).on('close', take);
    take();
  });
}

/**
 * An {@link ExternalDecoder} that runs a system ffmpeg: no shell, no standard input, local files only, killed on abort.
 * AAC in MP4 is trimmed by its edit list; raw ADTS keeps the encoder's delay (about 1024 samples).
 * @param program name on the PATH or absolute path
 */
export function createFfmpegDecoder(program = 'ffmpeg'): ExternalDecoder {
  return async (path, signal): Promise<PcmStream> => {
    signal.throwIfAborted();
    const child = spawn(program, ffmpegArguments(path), {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const ended = ending(child);
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    void ended.then(() => signal.removeEventListener('abort', kill));
    let stderr = '';
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_BYTES)));
    let start: Buffer = Buffer.alloc(0);
    for (;;) {
      const header = parseHeader(start);
      if (header !== null && start.length >= header.dataStart) {
        const { sampleRate, channels } = header;
        return { sampleRate, channels, chunks: readSamples(child, start, header, signal) };
      }
      const next = await readPiece(child.stdout);
      if (next === null) break;
      start = concat(start, next);
    }
    const end = await ended;
    signal.throwIfAborted();
    throw whyNothing(end, stderr, path, program);
  };
}

/** {@link createFfmpegDecoder} with the ffmpeg on the PATH. */
export const ffmpegDecoder: ExternalDecoder = createFfmpegDecoder();
