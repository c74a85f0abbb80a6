import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import type { CutSound } from '../../models/benchmarks/embed.ts';
import type { HeardNetwork } from '../../models/benchmarks/fidelity.ts';
import { HandcraftedFeatures } from '../../models/benchmarks/handcrafted.ts';
import { nearestRow } from '../../models/benchmarks/neighbourhood.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { HeardClass, HeardSound } from '../api/quality.ts';
import { distinctFileNames } from '../bundles/names.ts';
import { audibleGainDb } from '../sonify/measures.ts';
import { canCompress, toMp3 } from './compress.ts';
import { greyPng } from './grey-png.ts';

/** What is heard of a scored pack. */
export interface HeardInput {
  runtime: PackRuntime;
  heard: HeardNetwork;
  /** The instruments, and the same through the encoder. */
  sounds: readonly CutSound[];
  embedded: LabelledWindows;
  signal: AbortSignal;
}

const MP3_KBPS = 48;
/** Natural-logarithm units between black and white in a spectrogram: 80 dB. */
const RANGE = Math.log(1e4);

/**
 * Writes the sounds and pictures of every class into a folder. Sounds are MP3 where the system's ffmpeg makes them, else WAV.
 * @throws the system's error; the signal's reason
 */
export async function writeHeardClasses(folder: string, input: HeardInput): Promise<HeardClass[]> {
  await mkdir(folder, { recursive: true });
  const writer = await SoundWriter.open(folder, input.runtime.pack.manifest.sampleRate);
  try {
    return await heardClasses(input, writer);
  } finally {
    await writer.close();
  }
}

/** For each class its first prototype: sonified, the nearest real window, and that window through the codec. */
async function heardClasses(
  { runtime, heard, sounds, embedded, signal }: HeardInput,
  writer: SoundWriter,
): Promise<HeardClass[]> {
  const { network } = heard;
  const { classes, prototypesPerClass } = network.data;
  const names = distinctFileNames(classes);
  const windows = sounds.flatMap((sound) => sound.windows);
  const shown: HeardClass[] = [];
  for (const [c, title] of classes.entries()) {
    signal.throwIfAborted();
    const k = c * prototypesPerClass;
    const name = names[c] ?? `class-${c}`;
    const row = nearestRow(network.prototypeVector(k), embedded);
    const excerpt = windows[row] ?? new Float32Array();
    const again = await runtime.decode(await runtime.features(excerpt, 1), 1);
    const own = Array.from({ length: prototypesPerClass }, (_, i) => k + i);
    shown.push({
      title,
      excerptOf: embedded.tracks.ids[embedded.tracks.of[row] ?? -1] ?? '',
      cycleCosine: heard.cosines[k] ?? 0,
      kept: own.filter((index) => heard.kept[index]).length,
      prototypes: prototypesPerClass,
      sonified: await writer.write(`${name}-prototype`, heard.sounds[k] ?? new Float32Array()),
      excerpt: await writer.write(`${name}-nearest`, excerpt),
      roundTrip: await writer.write(`${name}-round-trip`, again),
    });
  }
  return shown;
}

class SoundWriter {
  readonly #folder: string;
  readonly #sampleRate: number;
  readonly #features: HandcraftedFeatures;
  readonly #mp3: boolean;

  private constructor(folder: string, sampleRate: number, features: HandcraftedFeatures, mp3: boolean) {
    this.#folder = folder;
    this.#sampleRate = sampleRate;
    this.#features = features;
    this.#mp3 = mp3;
  }

  static async open(folder: string, sampleRate: number): Promise<SoundWriter> {
    const features = await HandcraftedFeatures.open(sampleRate);
    return new SoundWriter(folder, sampleRate, features, await canCompress());
  }

  /** Quiet sounds are raised, as the application does; the gain is told. */
  async write(name: string, samples: Float32Array): Promise<HeardSound> {
    const gainDb = audibleGainDb(samples);
    const raised = samples.map((value) => value * 10 ** (gainDb / 20));
    const sound = `${name}.${this.#mp3 ? 'mp3' : 'wav'}`;
    const bytes = this.#mp3
      ? await toMp3(raised, this.#sampleRate, MP3_KBPS)
      : encodeWav(raised, this.#sampleRate, 'pcm16');
    await writeFile(join(this.#folder, sound), bytes);
    await writeFile(join(this.#folder, `${name}.png`), await this.#picture(raised));
    return { sound, picture: `${name}.png`, gainDb };
  }

  close(): Promise<void> {
    return this.#features.close();
  }

  /** Log-mel spectrogram, low bands at the bottom, 80 dB from black to white below the loudest band. */
  async #picture(samples: Float32Array): Promise<Uint8Array> {
    const { bands } = HandcraftedFeatures;
    const frames = await this.#features.logMel(samples);
    const count = frames.length / bands;
    const top = frames.reduce((highest, value) => Math.max(highest, value), -Infinity);
    const pixels = new Uint8Array(frames.length);
    for (let band = 0; band < bands; band++) {
      for (let t = 0; t < count; t++) {
        const shade = 1 - (top - (frames[t * bands + band] ?? -Infinity)) / RANGE;
        pixels[(bands - 1 - band) * count + t] = Math.round(255 * Math.max(0, Math.min(1, shade)));
      }
    }
    return greyPng(pixels, count);
  }
}
