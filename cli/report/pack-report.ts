import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import type { PackRuntime } from '../../models/packs/index.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import type { CutSound } from '../../models/benchmarks/embed.ts';
import { HandcraftedFeatures } from '../../models/benchmarks/handcrafted.ts';
import { nearestRow } from '../../models/benchmarks/neighbourhood.ts';
import type { HeardNetwork } from '../../models/benchmarks/fidelity.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { distinctFileNames } from '../../engine/bundles/names.ts';
import { canCompress, toMp3 } from '../../engine/packs/compress.ts';
import type { QualityCard } from '../../engine/packs/quality-card.ts';
import { writeWhole } from '../../engine/files/write-whole.ts';
import { audibleGainDb } from '../../engine/sonify/measures.ts';
import { packPage, type HeardClass, type Player } from './pack-page.ts';
import { greyPng } from './png.ts';
import { toOutput } from '../write-output.ts';
import { refuseTaken } from './taken.ts';

/** What a report on a pack is made of. */
export interface PackReportInput {
  runtime: PackRuntime;
  card: QualityCard;
  heard: HeardNetwork;
  /** The instruments, and the same through the encoder. */
  sounds: readonly CutSound[];
  embedded: LabelledWindows;
  version: string;
  signal: AbortSignal;
}

const MP3_KBPS = 48;
/** Natural-logarithm units between black and white in a spectrogram: 80 dB. */
const RANGE = Math.log(1e4);

/**
 * Writes `NAME.html` and its sounds and pictures in a folder `NAME` beside it; see {@link checkReportPlace}. Sounds are MP3 where the
 * system's ffmpeg makes them, else WAV.
 */
export async function writePackReport(file: string, input: PackReportInput): Promise<void> {
  const { name, folder } = placesOf(file);
  await toOutput(folder, () => mkdir(folder, { recursive: true }), '--report');
  const writer = await PlayerWriter.open(folder, name, input.runtime.pack.manifest.sampleRate);
  try {
    const classes = await heardClasses(input, writer);
    const page = packPage({ ...input, pack: input.runtime.pack, classes });
    await toOutput(file, () => writeWhole(file, page), '--report');
  } finally {
    await writer.close();
  }
}

/**
 * Refuses, before anything is measured, a page that is no `.html` file or whose folder of sounds holds anything.
 * @throws EngineError `bad-input`
 */
export async function checkReportPlace(file: string): Promise<void> {
  if (extname(file) !== '.html')
    throw new EngineError(
      'bad-input',
      `${file} is not the name of a page.`,
      'Name a file that ends in .html.',
    );
  await refuseTaken(placesOf(file).folder, 'Name another page, or remove the folder of an earlier report.');
}

function placesOf(file: string): { name: string; folder: string } {
  const name = basename(file, extname(file));
  return { name, folder: join(dirname(file), name) };
}

/** For each class its first prototype: sonified, the nearest real window, and that window through the codec. */
async function heardClasses(
  { runtime, heard, sounds, embedded, signal }: PackReportInput,
  writer: PlayerWriter,
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

class PlayerWriter {
  readonly #folder: string;
  readonly #link: string;
  readonly #sampleRate: number;
  readonly #features: HandcraftedFeatures;
  readonly #mp3: boolean;

  private constructor(
    folder: string,
    link: string,
    sampleRate: number,
    features: HandcraftedFeatures,
    mp3: boolean,
  ) {
    this.#folder = folder;
    this.#link = link;
    this.#sampleRate = sampleRate;
    this.#features = features;
    this.#mp3 = mp3;
  }

  static async open(folder: string, link: string, sampleRate: number): Promise<PlayerWriter> {
    const features = await HandcraftedFeatures.open(sampleRate);
    return new PlayerWriter(folder, link, sampleRate, features, await canCompress());
  }

  /** Quiet sounds are raised, as the application does; the gain is told. */
  async write(name: string, samples: Float32Array): Promise<Player> {
    const gainDb = audibleGainDb(samples);
    const raised = samples.map((value) => value * 10 ** (gainDb / 20));
    const sound = `${name}.${this.#mp3 ? 'mp3' : 'wav'}`;
    const bytes = this.#mp3
      ? await toMp3(raised, this.#sampleRate, MP3_KBPS)
      : encodeWav(raised, this.#sampleRate, 'pcm16');
    await writeFile(join(this.#folder, sound), bytes);
    await writeFile(join(this.#folder, `${name}.png`), await this.#picture(raised));
    return { sound: `${this.#link}/${sound}`, picture: `${this.#link}/${name}.png`, gainDb };
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
