import { copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { VectorRef } from '../../engine/api/neighbours.ts';
import type { PrototypeInfo } from '../../engine/api/prototypes.ts';
import type { SoundStart } from '../../engine/api/sonify.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { distinctFileNames } from '../../engine/bundles/names.ts';
import { number, seedNumber, wholeNumber } from '../options.ts';
import { addSoundOrigin, soundOrigin, type SoundOriginOptions } from '../sound-origin.ts';
import { table } from '../text.ts';
import type { AddVerb } from '../verb.ts';
import { toOutput } from '../write-output.ts';

interface Options extends SoundOriginOptions {
  library: string;
  experiment: string;
  class?: string;
  between?: [number, number];
  points: number;
  seed: number;
  steps?: number;
  guidance?: number;
  out: string;
}

interface Sound {
  /** Of the prototype; of a line between two, which point of it. */
  index: number;
  class: string;
  file: string;
  seed: number;
  steps: number;
  guidance: number;
  from: SoundStart;
  durationSeconds: number;
  rmsDbfs: number;
  gainDb: number;
  cycleCosine: number;
}

export const sonifyVerb: AddVerb = (program, cli) => {
  addSoundOrigin(program.command('sonify'))
    .description('Turn the prototypes of an experiment into sound, one WAV file each.')
    .requiredOption('--library <dir>', "folder with the library's data")
    .requiredOption('--experiment <id>', 'experiment, or latest')
    .option('--class <class>', 'only the prototypes of this class')
    .addOption(
      program
        .createOption(
          '--between <a:b>',
          'points of the line between two prototypes, as `prototypes list` counts them',
        )
        .argParser(line)
        .conflicts('class'),
    )
    .option('--points <n>', 'with --between: how many, the two among them', wholeNumber(2, 101), 5)
    .option('--seed <n>', 'the same seed gives the same sound', seedNumber, 1)
    .option('--steps <n>', 'diffusion steps; default: those of the pack', wholeNumber(1, 1000))
    .option('--guidance <g>', 'classifier-free guidance; default: that of the pack', number(0, 20))
    .requiredOption('--out <dir>', 'folder for the WAV files; created when needed')
    .addHelpText(
      'after',
      `
Examples:
  archetone sonify --library ~/archetone-music --experiment latest --out sounds
  archetone sonify --library ~/archetone-music --experiment latest --class flute --seed 7 --out sounds --json
  archetone sonify --library ~/archetone-music --experiment latest --between 3:7 --points 9 --out morph
  archetone sonify --library ~/archetone-music --experiment latest --from recording --share 0.5 --out sounds`,
    )
    .action((options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const from = soundOrigin(options);
          const { id: libraryId } = await session.library();
          const experiment = await session.experiment(libraryId, options.experiment);
          if (options.class !== undefined && !experiment.classes.includes(options.class))
            throw new EngineError(
              'not-found',
              `The experiment has no class “${options.class}”.`,
              `Its classes: ${experiment.classes.join(', ')}.`,
            );
          const prototypes = (
            await session.client.call('prototypes.list', { libraryId, experimentId: experiment.id })
          ).filter((prototype) => options.class === undefined || prototype.class === options.class);
          const wanted = wantedSounds(experiment.id, prototypes, options);
          const { sonifications } = await session.run('sonify', (client) =>
            client.call('sonify.start', {
              libraryId,
              targets: wanted.map(({ target }) => target),
              seed: options.seed,
              from,
              ...(options.steps === undefined ? {} : { steps: options.steps }),
              ...(options.guidance === undefined ? {} : { guidance: options.guidance }),
            }),
          );
          const names = distinctFileNames(
            wanted.map(({ index, class: name }) => `${String(index).padStart(3, '0')} ${name}`),
          );
          const folder = resolve(options.out);
          const sounds: Sound[] = [];
          await toOutput(folder, async () => {
            await mkdir(folder, { recursive: true });
            for (const [i, { sonification }] of sonifications.entries()) {
              const { url, seed, steps, guidance, from, ...heard } = sonification;
              const { durationSeconds, rmsDbfs, gainDb, cycleCosine } = heard;
              const file = join(folder, `${names[i] ?? ''}.wav`);
              await copyFile(session.mediaPath(url), file);
              sounds.push({
                index: wanted[i]?.index ?? i,
                class: wanted[i]?.class ?? '',
                file,
                ...{ seed, steps, guidance, from, durationSeconds, rmsDbfs, gainDb, cycleCosine },
              });
            }
          });
          return { json: { experimentId: experiment.id, sounds }, text: describeSounds(sounds) };
        }),
      ),
    );
};

/** Two prototypes, by their numbers. */
function line(text: string): [number, number] {
  const [from, to, ...more] = text.split(':').map(wholeNumber(0, 100_000));
  if (from === undefined || to === undefined || more.length > 0)
    throw new InvalidArgumentError('must be two numbers of prototypes, such as 3:7.');
  return [from, to];
}

interface Wanted {
  index: number;
  class: string;
  target: VectorRef;
}

/** Each prototype; or the points of a line between two of them. */
function wantedSounds(
  experimentId: string,
  prototypes: readonly PrototypeInfo[],
  { between, points }: Pick<Options, 'between' | 'points'>,
): Wanted[] {
  if (!between)
    return prototypes.map(({ index, class: name }) => ({
      ...{ index, class: name },
      target: { kind: 'prototype', experimentId, index },
    }));
  const [from, to] = between;
  return Array.from({ length: points }, (_, index) => {
    const share = index / (points - 1);
    return {
      ...{ index, class: `${String(Math.round(100 * share))} % from ${String(from)} to ${String(to)}` },
      target: { kind: 'between', experimentId, from, to, share },
    };
  });
}

function describeSounds(sounds: readonly Sound[]): string {
  return table<Sound>(
    [
      { title: 'prototype', value: (s) => String(s.index), align: 'right' },
      { title: 'class', value: (s) => s.class },
      {
        title: 'from',
        value: ({ from }) =>
          from.origin === 'noise'
            ? 'noise'
            : `${from.recording.path} at ${from.recording.startSeconds.toFixed(1)} s, share ${from.share}`,
      },
      { title: 'level', value: (s) => `${s.rmsDbfs.toFixed(1)} dBFS`, align: 'right' },
      { title: 'raised by', value: (s) => `${s.gainDb.toFixed(1)} dB`, align: 'right' },
      { title: 'cycle cosine', value: (s) => s.cycleCosine.toFixed(3), align: 'right' },
      { title: 'file', value: (s) => s.file },
    ],
    sounds,
  );
}
