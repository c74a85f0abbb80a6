import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PackInfo, PackVerification } from '../../api/domain.ts';
import { EngineError } from '../../api/errors.ts';
import { DecodePool, ffmpegDecoder } from '../../decode/index.ts';
import { asEngineError } from '../../packs/failures.ts';
import { scorePack, type PackScore } from '../../packs/score.ts';
import { PackService } from '../../packs/service.ts';
import { scanFolder } from '../../import/scan.ts';
import { exitCodes } from '../exit-codes.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import { bytes, pairs, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';

const DECODE_LIMITS = { timeoutMs: 60_000, idleTimeoutMs: 30_000, memoryMb: 512 };

export const packsVerb: AddVerb = (program, cli) => {
  const packs = program
    .command('packs')
    .description('The packs that are installed: encoders that make embeddings, decoders that make sound.');

  packs
    .command('list')
    .description('List installed packs with version, licence and size.')
    .addHelpText('after', '\nExample:\n  archetone packs list --json')
    .action(() =>
      cli.answer(() =>
        withPacks(cli, (service) => {
          const list = service.list();
          return { json: { packs: list, problems: service.problems() }, text: describePacks(list, service) };
        }),
      ),
    );

  packs
    .command('verify')
    .description('Check the files of packs: sizes, hashes, graphs.')
    .argument('[ids...]', 'packs to check; default: all')
    .addHelpText('after', '\nExamples:\n  archetone packs verify\n  archetone packs verify compact --json')
    .action((ids: string[]) =>
      cli.answer(() =>
        withPacks(cli, async (service) => {
          const wanted = ids.length > 0 ? ids : service.list().map(({ id }) => id);
          const verifications: PackVerification[] = [];
          for (const id of wanted) verifications.push(await service.verify(id, cli.interrupt.signal));
          const broken = service.problems();
          const ok = verifications.every((verification) => verification.ok) && broken.length === 0;
          const text = [
            ...verifications.map(({ packId, ok: fine, problems }) =>
              fine
                ? `${packId}  ok`
                : `${packId}  ${problems.map((p) => `${p.file}: ${p.message}`).join('; ')}`,
            ),
            ...broken.map(({ folder, message }) => `${folder}  ${message}`),
          ];
          return {
            json: { ok, verifications, problems: broken },
            text: text.length > 0 ? text.join('\n') : 'no packs installed',
            exitCode: ok && wanted.length > 0 ? exitCodes.ok : exitCodes.pack,
          };
        }),
      ),
    );

  packs
    .command('score')
    .description("Show a pack's quality card, and measure its speed and its sound on the demo sounds.")
    .argument('[id]', 'pack', 'compact')
    .option('--sounds <n>', 'demo sounds to measure on', wholeNumber(1, 1000), 16)
    .option('--seed <n>', 'seed of the sounds', seedNumber, 1)
    .addHelpText('after', '\nExample:\n  archetone packs score compact --sounds 32 --json')
    .action((id: string, options: { sounds: number; seed: number }) =>
      cli.answer(() =>
        withPacks(cli, async (service) => {
          const pack = service.list().find((info) => info.id === id);
          const runtime = await service.runtime(id);
          const files = await demoSounds(cli, options.sounds);
          const decode = new DecodePool({
            workerUrl: cli.places.decodeWorker,
            workers: 1,
            limits: DECODE_LIMITS,
            external: ffmpegDecoder,
          });
          try {
            const { signal } = cli.interrupt;
            const measured = await scorePack(runtime, decode, files, { seed: options.seed, signal });
            const quality = pack?.quality ?? [];
            return { json: { packId: id, quality, measured }, text: describeScore(quality, measured) };
          } finally {
            await decode.close();
          }
        }),
      ),
    );
};

async function withPacks<T>(cli: Cli, work: (service: PackService) => T | Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'archetone-packs-'));
  const service = await PackService.open({ packFolders: cli.places.packFolders, dataFolder: scratch });
  try {
    return await work(service);
  } catch (thrown) {
    throw asEngineError(thrown);
  } finally {
    await service.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Evenly spread over the demo sounds, the same ones each time. */
async function demoSounds(cli: Cli, wanted: number): Promise<string[]> {
  const { demoFolder } = cli.places;
  if (demoFolder === null)
    throw new EngineError(
      'missing-folder',
      'The demo sounds are not installed.',
      'Run npm install in the folder of Archetone.',
    );
  const { files } = await scanFolder(demoFolder, { signal: cli.interrupt.signal });
  const count = Math.min(wanted, files.length);
  return Array.from({ length: count }, (_, i) => files[Math.floor((i * files.length) / count)]).flatMap(
    (file) => (file ? [join(demoFolder, ...file.path.split('/'))] : []),
  );
}

function describePacks(list: readonly PackInfo[], service: PackService): string {
  const problems = service.problems().map(({ folder, message }) => `${folder}: ${message}`);
  const known = table<PackInfo>(
    [
      { title: 'pack', value: (pack) => pack.id },
      { title: 'version', value: (pack) => pack.version },
      { title: 'kind', value: (pack) => pack.kind },
      { title: 'D', value: (pack) => String(pack.embeddingDim), align: 'right' },
      { title: 'size', value: (pack) => bytes(pack.bytes), align: 'right' },
      { title: 'licence', value: (pack) => pack.licence },
      { title: 'title', value: (pack) => pack.title },
    ],
    list,
  );
  return [list.length > 0 ? known : 'no packs installed', ...problems].join('\n');
}

function describeScore(quality: PackInfo['quality'], measured: PackScore): string {
  const card = quality.map(({ name, value }) => [name, String(value)] as const);
  const own: (readonly [string, string])[] = [
    ['sounds', String(measured.sounds)],
    ['windows/s', measured.windowsPerSecond.toFixed(1)],
    ...(measured.generative
      ? ([
          ['round trip: cosine, median', measured.generative.roundTripCosine.toFixed(3)],
          ['round trip: level difference, median', `${measured.generative.roundTripLevelDb.toFixed(1)} dB`],
          ['sonification: seconds each', measured.generative.secondsPerSonification.toFixed(2)],
          ['sonification: level, median', `${measured.generative.rmsDbfs.toFixed(1)} dBFS`],
          ['sonification: cycle cosine, median', measured.generative.cycleCosine.toFixed(3)],
        ] as const)
      : []),
  ];
  return [...(card.length > 0 ? [`Quality card\n${pairs(card)}`] : []), `Measured here\n${pairs(own)}`].join(
    '\n\n',
  );
}
