import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  AudioError,
  fileToOpen,
  fromSystemError,
  type AudioContainer,
  type ExternalDecodeOptions,
  type ExternalDecoder,
  type PcmChunk,
  type PcmStream,
} from '../../models/audio/index.ts';
import { kill, type EndProgram, type Program } from './end-program.ts';
import { findProgram } from './find-program.ts';

/** AU header (Sun, 1992): magic, offset of the data, size, encoding, rate, channels, each 32 bits, big-endian. */
const AU_HEADER_BYTES = 24;
const AU_MAGIC = 0x2e736e64;
const AU_FLOAT32 = 6;
const STDERR_BYTES = 4096;

/** ffmpeg's name for what reads each container, so that it never guesses by itself what a file is. */
const demuxers: Record<AudioContainer, string> = {
  wav: 'wav',
  aiff: 'aiff',
  au: 'au',
  m4a: 'mov',
  aac: 'aac',
  ogg: 'ogg',
  mp3: 'mp3',
  matroska: 'matroska',
  wma: 'asf',
  caf: 'caf',
  ape: 'ape',
  wavpack: 'wv',
  musepack7: 'mpc',
  musepack8: 'mpc8',
  tta: 'tta',
  tak: 'tak',
  shorten: 'shn',
  dsf: 'dsf',
  dff: 'iff',
  amr: 'amr',
  w64: 'w64',
  voc: 'voc',
  sphere: 'nistsphere',
  ircam: 'ircam',
  ac3: 'ac3',
  dts: 'dts',
  realaudio: 'rm',
  '8svx': 'iff',
  avi: 'avi',
  flv: 'flv',
  mpegps: 'mpeg',
  mpegts: 'mpegts',
};

export const isContainer = (value: unknown): value is AudioContainer =>
  typeof value === 'string' && Object.hasOwn(demuxers, value);

/** One allocation at most; sound needs far less. */
const MAX_ALLOCATION_BYTES = 256 * 2 ** 20;

/**
 * AU is asked for because its header tells rate and channels, and because, unlike WAV, it has no limit of length when
 * written to a pipe. Only the one local file may be opened and only as what it was recognised as, whatever it claims to
 * refer to.
 */
function ffmpegArguments(input: string, container: AudioContainer): string[] {
  const demuxer = demuxers[container];
  const limits = ['-max_alloc', String(MAX_ALLOCATION_BYTES), '-threads', '1'];
  const from = [
    '-protocol_whitelist',
    'file',
    '-format_whitelist',
    demuxer,
    '-f',
    demuxer,
    '-i',
    `file:${input}`,
  ];
  const output = ['-map', '0:a:0', '-vn', '-sn', '-dn', '-c:a', 'pcm_f32be', '-f', 'au'];
  return ['-nostdin', '-hide_banner', '-v', 'error', ...limits, ...from, ...output, 'pipe:1'];
}

/** Resolves when the process is gone; never rejects. */
function ending(child: Program): Promise<{ code: number | null; failure: NodeJS.ErrnoException | null }> {
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
    return missing(path, program);
  }
  const reason = end.failure?.message ?? (lastLine(stderr, path) || `exit code ${end.code ?? 'unknown'}`);
  return new AudioError('corrupt', `ffmpeg could not decode the file (${reason}): ${path}`);
}

/** What ffmpeg said last, without the path that it puts in front. */
function lastLine(stderr: string, path: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return line
    .replace(`file:${path}`, '')
    .replace(/^[:\s]+/, '')
    .replace(/^\[[^\]]*\]\s*/, '')
    .trim();
}

/** A process that decodes, and what became of it. */
interface Running {
  child: Program;
  ended: ReturnType<typeof ending>;
  stop: () => void;
  stderr: () => string;
}

/** Samples as they come; waits for the process at the end, and kills it when left early. */
async function* readSamples(
  { child, ended, stop, stderr }: Running,
  start: Buffer,
  header: AuHeader,
  path: string,
  { signal, onWarning }: ExternalDecodeOptions,
): AsyncGenerator<PcmChunk, void> {
  const { sampleRate, channels } = header;
  const frameBytes = 4 * channels;
  let rest = start.subarray(header.dataStart);
  try {
    for (;;) {
      const whole = rest.length - (rest.length % frameBytes);
      if (whole > 0) yield { sampleRate, channelData: splitChannels(rest.subarray(0, whole), channels) };
      rest = rest.subarray(whole);
      const next = await readPiece(child.stdout);
      signal.throwIfAborted();
      if (next === null) break;
      rest = concat(rest, next);
    }
    const { code } = await ended;
    signal.throwIfAborted();
    const said = lastLine(stderr(), path);
    if (code !== 0 || said !== '')
      onWarning?.(`ffmpeg reports damage: ${said || `it ended with code ${code ?? 'unknown'}`}`);
  } finally {
    stop();
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

/** A program takes its arguments as text only: a file whose name is none is handed over open. */
async function launch(program: string, path: string, container: AudioContainer): Promise<Program> {
  const run = (input: string, stdin: 'ignore' | number): Program =>
    // With the standard input given by number its type is no longer told apart.
    spawn(program, ffmpegArguments(input, container), {
      stdio: [stdin, 'pipe', 'pipe'],
      windowsHide: true,
    }) as Program;
  const file = fileToOpen(path);
  if (typeof file === 'string') return run(path, 'ignore');
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw fromSystemError(error, path);
  });
  try {
    return run('/dev/fd/0', handle.fd);
  } finally {
    await handle.close();
  }
}

/**
 * An {@link ExternalDecoder} that runs a system ffmpeg: no shell, no standard input, one local file, one demuxer, killed
 * on abort. AAC in MP4 is trimmed by its edit list; raw ADTS keeps the encoder's delay (about 1024 samples).
 * @param program absolute path; without it ffmpeg is looked for on the PATH and where installers put it
 * @param end ends a process that is wanted no longer
 */
export function createFfmpegDecoder(program?: string, end: EndProgram = kill): ExternalDecoder {
  return async (path, options): Promise<PcmStream> => {
    const { signal, container } = options;
    signal.throwIfAborted();
    const found = program ?? (await findProgram('ffmpeg'));
    if (found === null) throw missing(path, 'not on the PATH');
    const child = await launch(found, path, container);
    const ended = ending(child);
    const stop = (): void => end(child);
    signal.addEventListener('abort', stop, { once: true });
    // While it was looked for and started nobody listened.
    if (signal.aborted) stop();
    void ended.then(() => signal.removeEventListener('abort', stop));
    let stderr = '';
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_BYTES)));
    let start: Buffer = Buffer.alloc(0);
    for (;;) {
      const header = parseHeader(start);
      if (header !== null && start.length >= header.dataStart) {
        const { sampleRate, channels } = header;
        const running = { child, ended, stop, stderr: () => stderr };
        return { sampleRate, channels, chunks: readSamples(running, start, header, path, options) };
      }
      const next = await readPiece(child.stdout);
      if (next === null) break;
      start = concat(start, next);
    }
    const outcome = await ended;
    signal.throwIfAborted();
    throw whyNothing(outcome, stderr, path, found);
  };
}

function missing(path: string, detail: string): AudioError {
  return new AudioError(
    'needs-external-decoder',
    `This file needs ffmpeg, which was not found (${detail}): ${path}`,
  );
}

/** {@link createFfmpegDecoder} with the ffmpeg that is installed. */
export const ffmpegDecoder: ExternalDecoder = createFfmpegDecoder();
