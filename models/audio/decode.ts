import { parseAiff } from './aiff.ts';
import { parseAu } from './au.ts';
import { evenChunks } from './chunks.ts';
import { Damage } from './damage.ts';
import { AudioError } from './errors.ts';
import { mixToMono } from './mono.ts';
import { readBlocks, readPcm } from './pcm.ts';
import { Resampler } from './resampler.ts';
import { sniff, type Sniffed } from './sniff.ts';
import { FileSource } from './source.ts';
import type { AudioFormat, DecodeOptions, PcmChunk, PcmStream } from './types.ts';
import { wavParts } from './wav.ts';

type Decoder = (
  source: FileSource,
  sniffed: Sniffed,
  options: DecodeOptions,
  damage: Damage,
) => AsyncIterable<PcmChunk>;

// Decoders in WebAssembly are read with the first file that needs one: few processes decode any, and the engine's own does not.
async function* decodeMpeg(
  source: FileSource,
  range: { start: number; end: number },
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  yield* (await import('./mp3/decode.ts')).decodeMpeg(source, range, options, damage);
}

async function* decodeWav(
  ...[source, { start }, options, damage]: Parameters<Decoder>
): AsyncGenerator<PcmChunk, void> {
  for await (const content of wavParts(source, start)) {
    if (content.kind === 'pcm') yield* readPcm(source, content.layout, options, damage);
    else if (content.kind === 'adpcm') yield* readBlocks(source, content, options, damage);
    else yield* decodeMpeg(source, content, options, damage);
  }
}

/** What is decoded here; everything else is left to another decoder. */
const decoders: Partial<Record<Sniffed['container'], Decoder>> = {
  wav: decodeWav,
  aiff: async function* (source, { start }, options, damage) {
    yield* readPcm(source, await parseAiff(source, start), options, damage);
  },
  au: async function* (source, { start }, options, damage) {
    yield* readPcm(source, await parseAu(source, start), options, damage);
  },
  flac: async function* (source, { start }, options, damage) {
    yield* (await import('./flac.ts')).decodeFlac(source, start, options, damage);
  },
  mp3: (source, { start }, options, damage) =>
    decodeMpeg(source, { start, end: source.size }, options, damage),
  ogg: async function* (source, { start }, options, damage) {
    yield* (await import('./ogg/decode.ts')).decodeOgg(source, start, options, damage);
  },
};

/** A fault in the middle of a file ends it there; what came before counts. */
async function* untilFault(
  chunks: AsyncIterable<PcmChunk>,
  path: string,
  options: DecodeOptions,
  damage: Damage,
): AsyncGenerator<PcmChunk, void> {
  try {
    yield* evenChunks(chunks);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof AudioError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    damage.note(`Decoding stopped at damage: ${reason}`);
    damage.stopped();
  }
  if (damage.decodedSeconds > 0) damage.report(path, options.onWarning);
  else {
    throw new AudioError('corrupt', `No audio could be decoded from this file: ${path}`, {
      hint: damage.hint(),
    });
  }
}

/** Closes the file when the stream ends, fails, is left early, or is never started before an abort. */
function closing(stream: PcmStream, source: FileSource, signal: AbortSignal): PcmStream {
  const close = (): void => void source.close().catch(() => undefined);
  signal.addEventListener('abort', close, { once: true });
  async function* chunks(): AsyncGenerator<PcmChunk, void> {
    try {
      yield* stream.chunks;
    } finally {
      signal.removeEventListener('abort', close);
      await source.close();
    }
  }
  return { ...stream, chunks: chunks() };
}

/** Decodes up to the first samples, so that what cannot be decoded at all fails here. */
async function begin(chunks: AsyncGenerator<PcmChunk, void>, path: string): Promise<PcmStream> {
  const first = await chunks.next();
  if (first.done === true) throw new AudioError('empty', `The file holds no audio samples: ${path}`);
  const { sampleRate, channelData } = first.value;
  async function* all(chunk: PcmChunk): AsyncGenerator<PcmChunk, void> {
    try {
      yield chunk;
      yield* chunks;
    } finally {
      await chunks.return(undefined);
    }
  }
  return { sampleRate, channels: channelData.length, chunks: all(first.value) };
}

async function decodeHere(source: FileSource, sniffed: Sniffed, options: DecodeOptions): Promise<PcmStream> {
  const { container, foreign } = sniffed;
  const decoder = foreign === undefined ? decoders[container] : undefined;
  if (decoder === undefined) {
    const name = foreign ?? (container === 'm4a' || container === 'aac' ? `AAC (${container})` : container);
    throw new AudioError('needs-external-decoder', `${name} needs another decoder: ${source.path}`, {
      ...(container === 'flac' ? {} : { container }),
    });
  }
  const damage = new Damage();
  const chunks = untilFault(decoder(source, sniffed, options, damage), source.path, options, damage);
  return begin(chunks, source.path);
}

/**
 * Opens a file and streams its samples. Reads 256 KiB at a time; the file is opened read-only and closed when the
 * stream ends or is left, or on abort.
 *
 * MP3 (with a LAME header), Opus and Vorbis are trimmed to the original length; an MP3 without that header keeps the
 * encoder's delay, as in ffmpeg.
 * @throws AudioError for every fault of the file, also at the end when less than a tenth of it could be read;
 * `signal.reason` on abort
 */
export async function decodePcm(
  path: string,
  options: DecodeOptions,
): Promise<PcmStream & { format: AudioFormat }> {
  const { signal, onWarning } = options;
  signal.throwIfAborted();
  const source = await FileSource.open(path);
  let format: AudioFormat | null = null;
  try {
    const sniffed = await sniff(source);
    format = sniffed.format;
    const stream = await decodeHere(source, sniffed, options);
    return { ...closing(stream, source, signal), format };
  } catch (error) {
    await source.close();
    if (!options.external || format === null || !(error instanceof AudioError) || error.container === null)
      throw error;
    const external = await options.external(path, {
      signal,
      container: error.container,
      ...(onWarning ? { onWarning } : {}),
    });
    return { ...external, format };
  }
}

/**
 * Mixes and resamples a decoded stream: every run of one rate by a resampler of its own, so that the length is the sum
 * of the parts.
 * @param sampleRate of the output, Hz
 * @throws AudioError corrupt when most samples are no numbers
 */
export async function* toMono(
  stream: PcmStream,
  sampleRate: number,
  options: Pick<DecodeOptions, 'signal' | 'onWarning'> & { path: string },
): AsyncGenerator<Float32Array, void> {
  let resampler: Resampler | null = null;
  let rate = 0;
  let samples = 0;
  let notFinite = 0;
  // What was mixed is used up before the next piece is: new memory for each would have to be cleared and collected.
  let memory = new Float32Array(0);
  for await (const chunk of stream.chunks) {
    options.signal.throwIfAborted();
    if (chunk.sampleRate !== rate) {
      const rest = resampler?.flush();
      if (rest && rest.length > 0) yield rest;
      rate = chunk.sampleRate;
      resampler = new Resampler(rate, sampleRate);
    }
    const length = chunk.channelData[0]?.length ?? 0;
    if (memory.length < length) memory = new Float32Array(length);
    const mixed = mixToMono(chunk.channelData, memory);
    samples += mixed.mono.length;
    notFinite += mixed.notFinite;
    const out = resampler?.push(mixed.mono);
    if (out && out.length > 0) yield out;
  }
  const rest = resampler?.flush();
  if (rest && rest.length > 0) yield rest;
  if (notFinite > 0.9 * samples) {
    throw new AudioError('corrupt', `The samples are no numbers (NaN or infinite): ${options.path}`, {
      hint: 'The program that wrote the file failed: write it again.',
    });
  }
  if (notFinite > 0)
    options.onWarning?.(
      `${notFinite} of ${samples} samples are no numbers (NaN or infinite) and were taken for silence.`,
    );
}

/**
 * Decodes a file to mono at `sampleRate` (mean of the channels, resampled), as a stream of pieces of varying length.
 * @throws AudioError for every fault of the file; `signal.reason` on abort
 */
export async function* decodeMono(
  path: string,
  options: DecodeOptions & { sampleRate: number },
): AsyncGenerator<Float32Array, void> {
  yield* toMono(await decodePcm(path, options), options.sampleRate, { ...options, path });
}
