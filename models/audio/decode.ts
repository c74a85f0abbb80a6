import { parseAiff } from './aiff.ts';
import { openCompressed } from './compressed.ts';
import { AudioError } from './errors.ts';
import { mixToMono } from './mono.ts';
import { readPcm } from './pcm.ts';
import { Resampler } from './resampler.ts';
import { sniff, type Sniffed } from './sniff.ts';
import { FileSource } from './source.ts';
import type { AudioFormat, DecodeOptions, PcmStream } from './types.ts';
import { parseWav } from './wav.ts';

type Opener = (source: FileSource, sniffed: Sniffed, options: DecodeOptions) => Promise<PcmStream>;

const openAac: Opener = (source, { format }) =>
  Promise.reject(
    new AudioError('needs-external-decoder', `AAC (${format}) needs another decoder: ${source.path}`),
  );

const openers: Record<Sniffed['codec'], Opener> = {
  wav: async (source, { start }, options) => readPcm(source, await parseWav(source, start), options),
  aiff: async (source, { start }, options) => readPcm(source, await parseAiff(source, start), options),
  flac: openCompressed,
  mp3: openCompressed,
  vorbis: openCompressed,
  opus: openCompressed,
  ogg: openCompressed,
  m4a: openAac,
  aac: openAac,
};

/** Closes the file when the stream ends, fails, is left early, or is never started before an abort. */
function closing(stream: PcmStream, source: FileSource, signal: AbortSignal): PcmStream {
  const close = (): void => void source.close().catch(() => undefined);
  signal.addEventListener('abort', close, { once: true });
  async function* chunks(): AsyncGenerator<Float32Array[], void> {
    try {
      yield* stream.chunks;
    } finally {
      signal.removeEventListener('abort', close);
      await source.close();
    }
  }
  return { ...stream, chunks: chunks() };
}

/**
 * Opens a file and streams its samples. Reads 64 KiB at a time; the file is opened read-only and closed when the
 * stream ends or is left, or on abort.
 *
 * MP3 (with a LAME header), Opus and Vorbis are trimmed to the original length; an MP3 without that header keeps the
 * encoder's delay, as in ffmpeg.
 * @throws AudioError for every fault of the file; `signal.reason` on abort
 */
export async function decodePcm(
  path: string,
  options: DecodeOptions,
): Promise<PcmStream & { format: AudioFormat }> {
  options.signal.throwIfAborted();
  const source = await FileSource.open(path);
  let format: AudioFormat | null = null;
  try {
    const sniffed = await sniff(source);
    format = sniffed.format;
    const stream = await openers[sniffed.codec](source, sniffed, options);
    return { ...closing(stream, source, options.signal), format };
  } catch (error) {
    await source.close();
    const external =
      error instanceof AudioError && error.code === 'needs-external-decoder' ? options.external : undefined;
    if (external && format !== null) return { ...(await external(path, options.signal)), format };
    throw error;
  }
}

/**
 * Mixes and resamples a decoded stream.
 * @param sampleRate of the output, Hz
 */
export async function* toMono(
  stream: PcmStream,
  sampleRate: number,
  signal: AbortSignal,
): AsyncGenerator<Float32Array, void> {
  const resampler = new Resampler(stream.sampleRate, sampleRate);
  for await (const channels of stream.chunks) {
    signal.throwIfAborted();
    const out = resampler.push(mixToMono(channels));
    if (out.length > 0) yield out;
  }
  const rest = resampler.flush();
  if (rest.length > 0) yield rest;
}

/**
 * Decodes a file to mono at `sampleRate` (mean of the channels, resampled), as a stream of pieces of varying length.
 * @throws AudioError for every fault of the file; `signal.reason` on abort
 */
export async function* decodeMono(
  path: string,
  options: DecodeOptions & { sampleRate: number },
): AsyncGenerator<Float32Array, void> {
  yield* toMono(await decodePcm(path, options), options.sampleRate, options.signal);
}
