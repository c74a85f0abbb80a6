import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cutWindows } from '../../models/audio/windows.ts';
import type { Pack, PackRuntime } from '../../models/packs/index.ts';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { HeardClass, QualityCard, ScoreEvent } from '../api/quality.ts';
import type { EngineContext } from '../context.ts';
import { refuseTaken } from '../files/refuse-taken.ts';
import { scanFolder } from '../files/scan.ts';
import { writeWhole } from '../files/write-whole.ts';
import { canCompress, mp3Deformation } from './compress.ts';
import { writeHeardClasses } from './heard-classes.ts';
import { qualityCard, type ScoredCollection } from './quality-card.ts';
import { evenly, hashOfSounds, MOST_WINDOWS, readLabelledFolder, type Layout } from './collections.ts';
import { withKeptFigures } from './kept-figures.ts';
import { noting } from './noting.ts';
import { withTwin } from './with-twin.ts';

type Request = ParsedInput<'packs.score'>;

/**
 * Scores a pack on folders of labelled sounds, telling what it does.
 * @throws EngineError `pack`, `bad-input`, `missing-folder`, `too-few-labels`; the signal's reason
 */
export async function* scorePack(
  context: EngineContext,
  request: Request,
  signal: AbortSignal,
): AsyncGenerator<ScoreEvent, void> {
  const pack = await context.packs.ready(request.packId);
  if (request.origins) requireInstruments(pack, request.instruments, 'Recordings to start from');
  if (request.listenTo !== null) {
    requireInstruments(pack, request.instruments, 'Prototypes to listen to');
    await refuseTaken(request.listenTo);
  }
  yield* noting(signal, (hooks) =>
    withTwin(context, pack, request, (runtime, twin) =>
      score(context, { pack, runtime, twin }, request, hooks),
    ),
  );
}

async function score(
  context: EngineContext,
  { pack, runtime, twin }: { pack: Pack; runtime: PackRuntime; twin: PackRuntime },
  request: Request,
  { signal, note }: { signal: AbortSignal; note: (message: string) => void },
): Promise<{ card: QualityCard; classes: HeardClass[] }> {
  const read = async (folder: string | null, layout: Layout): Promise<ScoredCollection | null> => {
    if (folder === null) return null;
    note(`Reading ${folder} …`);
    const { sounds, failed } = await readLabelledFolder(folder, layout, pack, {
      decode: context.readers,
      mostWindows: MOST_WINDOWS,
      signal,
    });
    for (const failure of failed) note(`Left out: ${failure}`);
    return { sounds, sha256: hashOfSounds(sounds) };
  };
  const instruments = await read(request.instruments, 'classes');
  const rendered = await read(request.rendered, 'classes');
  const styles = await read(request.styles, 'albums');
  const demo = instruments || styles ? [] : await demoWindows(context, pack, request.sounds, signal);
  const compresses = await canCompress();
  if (!compresses && instruments) note('No ffmpeg that writes MP3: robustness to MP3 is left out.');
  const measured = await qualityCard(
    {
      ...{ runtime, twin, instruments, rendered, styles, demo },
      seeds: Array.from({ length: request.seeds }, (_, i) => request.seed + i),
      ...{ fidelity: request.fidelity, origins: request.origins, quick: request.quick },
      moreDeformations: compresses ? [mp3Deformation] : [],
    },
    { signal, say: note },
  );
  const { heard, embedded } = measured;
  const card = withKeptFigures(measured.card, pack.manifest.quality);
  const classes =
    request.listenTo !== null && instruments && heard && embedded
      ? await writeHeardClasses(request.listenTo, {
          ...{ runtime, heard, embedded, signal },
          sounds: instruments.sounds,
        })
      : [];
  if (request.write) await writeCard(pack, card);
  return { card, classes };
}

/** @throws EngineError `bad-input`, `pack` where there is nothing to listen to */
function requireInstruments(pack: Pack, instruments: string | null, what: string): void {
  if (instruments === null)
    throw new EngineError('bad-input', `${what} are instruments.`, 'Name a folder of instruments.');
  if (pack.manifest.kind !== 'generative')
    throw new EngineError(
      'pack',
      `The pack “${pack.manifest.title}” only makes embeddings; there is nothing to listen to.`,
      'Score it without listening to it.',
    );
}

/** First window of demo sounds, evenly spread over them, the same ones each time. */
async function demoWindows(
  { options: { demoFolder }, readers }: EngineContext,
  pack: Pack,
  wanted: number,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  if (demoFolder === null)
    throw new EngineError(
      'missing-folder',
      'The demo samples are not installed.',
      'Install Archetone again, or name a folder of sounds.',
    );
  const { sampleRate, windowSamples } = pack.manifest;
  const { files } = await scanFolder(demoFolder, { signal });
  const windows: Float32Array[] = [];
  for (const { path } of evenly(files, wanted)) {
    const mono = readers.decode(join(demoFolder, ...path.split('/')), { sampleRate, signal });
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
async function writeCard(pack: Pack, card: QualityCard): Promise<void> {
  const path = join(pack.folder, 'pack.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const lasting = Object.entries(pack.manifest.quality).filter(([name]) => LASTING.includes(name));
  const quality = { ...card, ...Object.fromEntries(lasting) };
  await writeWhole(path, `${JSON.stringify({ ...manifest, quality }, null, 2)}\n`);
}
