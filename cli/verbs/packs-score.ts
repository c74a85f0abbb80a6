import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { cutWindows } from '../../models/audio/windows.ts';
import { openRuntime, readPack, type Pack, type PackRuntime } from '../../models/packs/index.ts';
import { writeShuffledTwin } from '../../models/benchmarks/random-twin.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { decodeLimits, DecodePool, ffmpegDecoder } from '../../engine/decode/index.ts';
import { inScratch } from '../../engine/files/scratch.ts';
import { scanFolder } from '../../engine/files/scan.ts';
import { writeWhole } from '../../engine/files/write-whole.ts';
import { canCompress, mp3Deformation } from '../../engine/packs/compress.ts';
import { qualityCard, type ScoredCollection } from '../../engine/packs/quality-card.ts';
import { evenly, hashOfSounds, readLabelledFolder, type Layout } from '../../engine/packs/scoring.ts';
import type { PackService } from '../../engine/packs/service.ts';
import { checkReportPlace, writePackReport } from '../report/pack-report.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { describeCard } from '../quality.ts';
import type { Answer, Cli } from '../verb.ts';

interface Options {
  instruments?: string;
  rendered?: string;
  styles?: string;
  twin?: string;
  sounds: number;
  seeds: number;
  seed: number;
  threads: number;
  fidelity: boolean;
  origins: boolean;
  quick: boolean;
  report?: string;
  write: boolean;
}

/** Windows of one file that are scored: soundtracks would outweigh everything else. */
const MOST_WINDOWS = 8;

/** Adds `archetone packs score`. */
export function addPackScore(
  packs: Command,
  cli: Cli,
  withPacks: <T>(work: (service: PackService) => Promise<T>) => Promise<T>,
): void {
  packs
    .command('score')
    .description(
      'Measure what a pack is worth, on sounds it was not trained on; without folders, on demo sounds.',
    )
    .argument('[id]', 'pack', 'compact')
    .option('--instruments <dir>', 'real instruments: a folder of sounds per class')
    .option('--rendered <dir>', 'rendered instruments, for accuracy across collections: a folder per class')
    .option('--styles <dir>', 'music: a folder per style with a folder per album')
    .option('--twin <dir>', 'pack with random weights to compare with; default: this one, weights shuffled')
    .option('--sounds <n>', 'demo sounds to hear when no folder is given', wholeNumber(1, 1000), 16)
    .option('--seeds <n>', 'runs of everything that draws', wholeNumber(1, 100), 5)
    .option('--seed <n>', 'first seed', seedNumber, 1)
    .option('--threads <n>', 'threads of ONNX Runtime', wholeNumber(1, 64), 2)
    .option('--quick', 'nearest neighbours only, no prototype networks', false)
    .option('--fidelity', 'compare remedies against blurred prototypes as well', false)
    .option('--origins', 'compare sounds from noise and from recordings; needs --instruments', false)
    .option('--report <file>', 'write a page with players and spectrograms; needs --instruments')
    .option('--write', 'write the card into the pack.json of the pack', false)
    .addHelpText(
      'after',
      `
Examples:
  archetone packs score compact --json
  archetone packs score compact --instruments philharmonia --rendered midi --styles albums --report compact.html`,
    )
    .action((id: string, options: Options) =>
      cli.answer(() =>
        withPacks((service) =>
          inScratch('score', (scratch) => score(cli, service.get(id), scratch, options)),
        ),
      ),
    );
}

async function score(cli: Cli, pack: Pack, scratch: string, options: Options): Promise<Answer> {
  const { signal } = cli.interrupt;
  if (options.origins) requireInstruments(pack, options.instruments, 'Recordings to start from');
  if (options.report !== undefined) await checkReport(pack, options.report, options.instruments);
  const decode = new DecodePool({
    workerUrl: cli.places.decodeWorker,
    workers: 1,
    limits: decodeLimits,
    external: ffmpegDecoder,
  });
  const runtimes: PackRuntime[] = [];
  const open = async (which: Pack): Promise<PackRuntime> => {
    const runtime = await openRuntime(which, { threads: options.threads });
    runtimes.push(runtime);
    return runtime;
  };
  try {
    const runtime = await open(pack);
    const shuffled = join(scratch, 'twin');
    const twinFolder = options.twin ?? (await writeShuffledTwin(pack, shuffled, options.seed));
    const twin = await open(await readPack(twinFolder));
    const read = async (folder: string | undefined, layout: Layout): Promise<ScoredCollection | null> => {
      if (folder === undefined) return null;
      cli.say(`Reading ${folder} …`);
      const { sounds, failed } = await readLabelledFolder(folder, layout, pack, {
        decode,
        mostWindows: MOST_WINDOWS,
        signal,
      });
      for (const failure of failed) cli.say(`Left out: ${failure}`);
      return { sounds, sha256: hashOfSounds(sounds) };
    };
    const instruments = await read(options.instruments, 'classes');
    const rendered = await read(options.rendered, 'classes');
    const styles = await read(options.styles, 'albums');
    const demo = instruments || styles ? [] : await demoWindows(cli, decode, pack, options.sounds);
    const compresses = await canCompress();
    if (!compresses && instruments) cli.say('No ffmpeg that writes MP3: robustness to MP3 is left out.');
    const { card, heard, embedded } = await qualityCard(
      {
        runtime,
        twin,
        instruments,
        rendered,
        styles,
        demo,
        seeds: Array.from({ length: options.seeds }, (_, i) => options.seed + i),
        fidelity: options.fidelity,
        origins: options.origins,
        quick: options.quick,
        moreDeformations: compresses ? [mp3Deformation] : [],
      },
      { signal, say: (message) => cli.say(message) },
    );
    if (options.report !== undefined && instruments && heard && embedded)
      await writePackReport(options.report, {
        ...{ runtime, card, heard, embedded, signal },
        sounds: instruments.sounds,
        version: cli.places.version,
      });
    if (options.write) await writeCard(pack, card);
    return { json: { packId: pack.manifest.id, card }, text: describeCard(card) };
  } finally {
    for (const runtime of runtimes) await runtime.close();
    await decode.close();
  }
}

/** @throws EngineError before the long work rather than after it */
async function checkReport(pack: Pack, page: string, instruments: string | undefined): Promise<void> {
  requireInstruments(pack, instruments, 'Prototypes of the report');
  await checkReportPlace(page);
}

/** @throws EngineError `bad-input`, `pack` where there is nothing to listen to */
function requireInstruments(pack: Pack, instruments: string | undefined, what: string): void {
  if (instruments === undefined)
    throw new EngineError('bad-input', `${what} are instruments.`, 'Give --instruments DIR.');
  if (pack.manifest.kind !== 'generative')
    throw new EngineError(
      'pack',
      `The pack “${pack.manifest.title}” only makes embeddings; there is nothing to listen to.`,
      'Leave --report and --origins out.',
    );
}

/** First window of demo sounds, evenly spread over them, the same ones each time. */
async function demoWindows(
  cli: Cli,
  decode: DecodePool,
  pack: Pack,
  wanted: number,
): Promise<Float32Array[]> {
  const { demoFolder } = cli.places;
  if (demoFolder === null)
    throw new EngineError(
      'missing-folder',
      'The demo sounds are not installed.',
      'Run npm install in the folder of Archetone, or name a folder of sounds.',
    );
  const { signal } = cli.interrupt;
  const { sampleRate, windowSamples } = pack.manifest;
  const { files } = await scanFolder(demoFolder, { signal });
  const windows: Float32Array[] = [];
  for (const { path } of evenly(files, wanted)) {
    const mono = decode.decode(join(demoFolder, ...path.split('/')), { sampleRate, signal });
    for await (const { samples } of cutWindows(mono, { windowSamples })) {
      windows.push(samples);
      break;
    }
  }
  return windows;
}

/** What a card says that its scores do not replace: what precision costs, and how the conversion was proven. */
const LASTING: readonly string[] = ['precision', 'selfTest'];

/** Replaces the scores of the quality card in the manifest; everything else stays as it is. */
async function writeCard(pack: Pack, card: object): Promise<void> {
  const path = join(pack.folder, 'pack.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const lasting = Object.entries(pack.manifest.quality).filter(([name]) => LASTING.includes(name));
  const quality = { ...card, ...Object.fromEntries(lasting) };
  await writeWhole(path, `${JSON.stringify({ ...manifest, quality }, null, 2)}\n`);
}
