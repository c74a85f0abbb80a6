import { Option } from 'commander';
import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { counted } from '../../engine/counted.ts';
import { asToken, queueLimits } from '../../engine/queue/protocol.ts';
import { readFolderMap, type FolderMap } from '../../engine/worker/file-map.ts';
import { jsonLog } from '../../engine/worker/log.ts';
import { audioWays, type AudioWay } from '../../engine/worker/audio-ways.ts';
import { helpersOf } from '../helpers.ts';
import { provider, wholeNumber } from '../options.ts';
import { addQueueOptions, queueSettings, type QueueOptions } from '../queue-options.ts';
import { pairs } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface Options extends QueueOptions {
  queue: string;
  name?: string;
  only: string[];
  pack: string[];
  map: FolderMap[];
  audio: AudioWay;
  cache: string;
  provider: ReturnType<typeof provider>;
  threads?: number;
  tracks: number;
  batch?: number;
}

const MOST_TRACKS = 8;

export const workerVerb: AddVerb = (program, cli) => {
  const command = program
    .command('worker')
    .description(
      'Work for the libraries of a queue: decode and embed their tracks and send back what comes out. Ctrl-C, or SIGTERM, finishes what is under way.',
    )
    .requiredOption('--queue <address>', 'nats://host:4222, or tls://host:4222')
    .option('--name <name>', 'what this worker is called (default: the machine and the process)')
    .option('--only <library>', 'work for this library only, by its id; may be repeated', collect, [])
    .option('--map <from=to>', 'where a folder of the library lies here; may be repeated', folderMap, [])
    .option('--pack <dir>', 'folder with packs, looked at before the queue; may be repeated', collect, [])
    .option('--cache <dir>', 'where packs from the queue are kept', cli.places.workerCache)
    .option('--provider <name>', 'what computes: cpu, cuda, webgpu, dml or coreml', provider, 'cpu')
    .option('--threads <n>', 'threads that compute (default: all cores)', wholeNumber(1, 1024))
    .option(
      '--tracks <n>',
      'tracks under way at once: while one is computed, others are decoded',
      wholeNumber(1, queueLimits.underWay),
      Math.min(MOST_TRACKS, Math.max(2, availableParallelism())),
    )
    .option('--batch <n>', 'windows per run of a pack (default: measured)', wholeNumber(1, 1024));
  command.addOption(
    new Option(
      '--audio <way>',
      'from a folder seen here, sent over the queue, or sent where no folder has it',
    )
      .choices(audioWays)
      .default('either'),
  );
  addQueueOptions(command)
    .addHelpText(
      'after',
      `
A token is read from ARCHETONE_QUEUE_TOKEN. What happens is told on standard error, one JSON object a line.

Examples:
  archetone worker --queue nats://studio:4222 --map /home/anna/Music=/mnt/music
  ARCHETONE_QUEUE_TOKEN=… archetone worker --queue tls://studio:4222 --tls-ca ca.pem --provider cuda`,
    )
    .action((options: Options) =>
      cli.answer(async () => {
        const [{ NatsSource }, { runWorker }] = await Promise.all([
          import('../../engine/queue/nats/source.ts'),
          import('../../engine/worker/run.ts'),
        ]);
        const name = asToken(options.name ?? `${hostname()}-${process.pid}`);
        const log = jsonLog((line) => void process.stderr.write(line), name);
        const settings = queueSettings(options.queue, options);
        const source = await NatsSource.open({
          ...{ settings, worker: name, libraries: options.only.length > 0 ? options.only : null },
          onOtherProtocol: (library, protocol) =>
            log('other-version', {
              library,
              message: `This library is worked for by another version of Archetone (protocol ${protocol}); install the same one here.`,
            }),
          onSetAside: (library) =>
            log('set-aside', {
              library,
              message:
                'Answers of this worker differ from what the machine of the library computes: it wants no more of them.',
            }),
        });
        const { places } = cli;
        log('started', { version: places.version, provider: options.provider, tracks: options.tracks });
        const summary = await runWorker({
          source,
          packFolders: [...options.pack.map((folder) => resolve(folder)), ...places.packFolders],
          cache: resolve(options.cache),
          ...{ audio: options.audio, version: places.version, worker: name },
          ...{ maps: options.map, provider: options.provider, tracks: options.tracks },
          ...{ threads: options.threads ?? null, batch: options.batch ?? null, log },
          decodeWorker: places.decodeWorker,
          ...helpersOf(places),
          ffmpeg: true,
          signal: cli.interrupt.signal,
        });
        return {
          json: { worker: name, ...summary },
          text: pairs([
            ['answered', `${counted(summary.answered, 'track')}, ${counted(summary.windows, 'window')}`],
            ['files that failed', String(summary.fileFailures)],
            ['could not', String(summary.refused)],
            ['handed back', String(summary.handedBack)],
          ]),
        };
      }),
    );
};

const collect = (value: string, before: readonly string[]): string[] => [...before, value];
const folderMap = (value: string, before: readonly FolderMap[]): FolderMap[] => [
  ...before,
  readFolderMap(value),
];
