import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { MelodySound } from '../../engine/api/melody.ts';
import { counted } from '../../engine/counted.ts';
import { number, seedNumber, wholeNumber } from '../options.ts';
import { addSoundOrigin, soundOrigin, type SoundOriginOptions } from '../sound-origin.ts';
import { percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';
import { addMelodyContinue } from './melody-continue.ts';
import { addMelodiesKept } from './melody-kept.ts';

interface Options extends SoundOriginOptions {
  library: string;
  midi: string;
  seed: number;
  steps?: number;
  guidance?: number;
  out: string;
}

/** Classes that are listed. */
const MOST_SHOWN = 5;

/** Adds `archetone melody`. */
export const melodyVerb: AddVerb = (program, cli) => {
  const melody = program
    .command('melody')
    .description('Melodies: played on prototypes, kept with a library, taken from tracks, continued.');

  addSoundOrigin(melody.command('play', { isDefault: true }))
    .description(
      'Play a melody on the sound of a prototype, and say whether it still sounds like its class. Also without “play”.',
    )
    .argument(
      '<experiment/prototype>',
      'such as latest/3: an experiment, or latest, and a prototype, as `prototypes list` counts them',
      prototype,
    )
    .requiredOption('--library <dir>', "folder with the library's data")
    .requiredOption('--midi <file>', 'the notes, as a standard MIDI file')
    .option('--seed <n>', 'of the prototype’s sound: the same seed gives the same', seedNumber, 1)
    .option('--steps <n>', 'diffusion steps; default: those of the pack', wholeNumber(1, 1000))
    .option('--guidance <g>', 'classifier-free guidance; default: that of the pack', number(0, 20))
    .requiredOption('--out <file>', 'new WAV file for the melody')
    .addHelpText(
      'after',
      `
The sound of the prototype is sampled: its clearest pitch is played at the pitch of each note. A sound without a
pitch is struck at each note.

Example:
  archetone melody play latest/3 --library ~/archetone-music --midi tune.mid --out tune.wav`,
    )
    .action(([experimentName, index]: [string, number], options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const from = soundOrigin(options);
          const { id: libraryId } = await session.library();
          const { id: experimentId } = await session.experiment(libraryId, experimentName);
          const { notes, remarks } = await session.client.call('melody.readMidi', {
            file: resolve(options.midi),
          });
          for (const remark of remarks) cli.say(remark);
          const { seed, steps, guidance } = options;
          const { melody: played } = await session.run('melody', (client) =>
            client.call('melody.play', {
              ...{ libraryId, experimentId, index, notes, file: resolve(options.out) },
              sound: {
                ...{ seed, from },
                ...(steps === undefined ? {} : { steps }),
                ...(guidance === undefined ? {} : { guidance }),
              },
            }),
          );
          const { id, durationSeconds, loweredDb, instrument, classes, file } = played;
          const told = { id, durationSeconds, loweredDb, instrument, classes, file };
          return {
            json: { experimentId, prototype: index, notes: notes.length, remarks, ...told },
            text: described(played, notes.length),
          };
        }),
      ),
    );
  addMelodiesKept(melody, cli);
  addMelodyContinue(melody, cli);
};
function prototype(text: string): [string, number] {
  const [experiment = '', index = '', ...more] = text.split('/');
  if (experiment === '' || more.length > 0)
    throw new InvalidArgumentError('must be an experiment and a prototype, such as latest/3.');
  return [experiment, wholeNumber(0, 100_000)(index)];
}

function described({ instrument, classes, file, durationSeconds }: MelodySound, notes: number): string {
  const { hertz, clarity } = instrument;
  const { own, ownBySine } = classes;
  return [
    `${counted(notes, 'note')}, ${durationSeconds.toFixed(1)} s: ${file ?? ''}`,
    hertz === null
      ? `The sound has no pitch (clarity ${clarity.toFixed(2)}): it is struck at each note, and says nothing of their pitch.`
      : `Sampled at ${hertz.toFixed(1)} Hz (clarity ${clarity.toFixed(2)}).`,
    `“${own.class}”: ${percent(own.probability)}, place ${own.rank}; the same notes by a sine: ${percent(ownBySine)}.`,
    table(
      [
        { title: 'class', value: (score) => score.class },
        { title: 'probability', value: (score) => percent(score.probability), align: 'right' },
      ],
      classes.scores.slice(0, MOST_SHOWN),
    ),
  ].join('\n');
}
