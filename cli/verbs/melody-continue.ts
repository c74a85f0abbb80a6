import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import {
  defaultContinuation,
  melodyModels,
  MOST_BARS,
  type MelodyLearning,
  type NotesSurprise,
} from '../../engine/api/melodies.ts';
import { COUNTED_BPM, FASTEST_BPM, possibleTempo, SLOWEST_BPM } from '../../engine/api/melody.ts';
import { counted } from '../../engine/counted.ts';
import { melodyNamed } from '../melodies.ts';
import { number, seedNumber, wholeNumber } from '../options.ts';
import { table } from '../text.ts';
import type { Cli } from '../verb.ts';

interface Options {
  melody?: string;
  midi?: string;
  bpm: number;
  bars: number;
  temperature: number;
  seed: number;
  model: 'better' | (typeof melodyModels)[number];
  out: string;
  keep?: string;
}

/** Adds `archetone melody continue`. */
export function addMelodyContinue(melody: Command, cli: Cli): void {
  const { bars, temperature, seed } = defaultContinuation;
  melody
    .command('continue')
    .description('Continue a melody as the melodies of the library go on, and say how well they are known.')
    .argument('<library>', "folder with the library's data")
    .addOption(
      new Option('--melody <name>', 'a melody of the library; without one a new one begins').conflicts(
        'midi',
      ),
    )
    .option('--midi <file>', 'a melody as a standard MIDI file')
    .option('--bpm <n>', 'beats a minute of one that begins', number(SLOWEST_BPM, FASTEST_BPM), COUNTED_BPM)
    .option('--bars <n>', 'bars of four beats', wholeNumber(1, MOST_BARS), bars)
    .option(
      '--temperature <t>',
      '0: always what is most probable; 1: as probable as it is',
      number(0, 2),
      temperature,
    )
    .option('--seed <n>', 'the same seed gives the same', seedNumber, seed)
    .addOption(
      new Option('--model <name>', 'what continues; default: the one that knows held-out melodies better')
        .choices(['better', ...melodyModels])
        .default('better'),
    )
    .requiredOption('--out <file>', 'new MIDI file for the melody and what comes after it')
    .option('--keep <name>', 'also keep it with the library')
    .addHelpText(
      'after',
      `
It learns from the melodies that the library keeps, where that was not done: a Markov chain, and an LSTM where there are
enough. A fifth of the melodies is held out to measure both, and another fifth chooses between them.

Example:
  archetone melody continue ~/archetone-music --melody Theme --bars 8 --out longer.mid`,
    )
    .action((folder: string, options: Options) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const given = await givenMelody(options);
          const { continuation } = await session.run('continue-melody', () =>
            client.call('melodies.continue', {
              ...{ libraryId, ...given },
              ...{ bars: options.bars, temperature: options.temperature },
              ...{ seed: options.seed, model: options.model },
            }),
          );
          const { model, learning } = continuation;
          const notes = [...given.notes, ...continuation.notes];
          const file = resolve(options.out);
          const { beatsPerMinute } = given;
          await client.call('melody.writeMidi', { libraryId, notes, beatsPerMinute, file });
          const kept =
            options.keep === undefined
              ? null
              : await client.call('melodies.keep', {
                  ...{ libraryId, name: options.keep, notes, beatsPerMinute, source: 'drawn' },
                });
          return {
            json: { model, learning, notes: continuation.notes, kept: kept?.melody ?? null, file },
            text: [
              `${counted(continuation.notes.length, 'note')} by the ${named[model]}: ${file}`,
              ...described(learning),
            ].join('\n'),
          };

          async function givenMelody({ melody: name, midi, bpm }: Options) {
            if (midi !== undefined) {
              const read = await client.call('melody.readMidi', { file: resolve(midi) });
              for (const remark of read.remarks) cli.say(remark);
              const { notes: all, beatsPerMinute: beats } = read;
              return { notes: all, beatsPerMinute: possibleTempo(beats) };
            }
            if (name === undefined) return { notes: [], beatsPerMinute: bpm };
            const { id: melodyId, beatsPerMinute: beats } = await melodyNamed(session, libraryId, name);
            const got = await client.call('melodies.get', { libraryId, melodyId });
            return { notes: got.notes, beatsPerMinute: beats ?? COUNTED_BPM };
          }
        }),
      ),
    );
}

const named = { markov: 'Markov chain', lstm: 'LSTM' } as const;

function described({ melodies, notes, needed, better, figures }: MelodyLearning): string[] {
  const learned = `Learned from ${counted(melodies, 'melody', 'melodies')} of ${counted(notes, 'note or rest', 'notes and rests')}.`;
  const few =
    melodies < needed ? [`An LSTM is learned from ${needed} or more: the Markov chain continues.`] : [];
  if (!figures) return [learned, ...few];
  const rows: { name: string; surprise: NotesSurprise }[] = [
    ...(figures.lstm ? [{ name: 'LSTM', surprise: figures.lstm }] : []),
    { name: 'Markov chain', surprise: figures.markov },
    { name: 'how often each note is', surprise: figures.unigram },
    { name: 'all alike', surprise: figures.uniform },
    { name: `${named[better]}, notes in another order`, surprise: figures.shuffled },
  ];
  const nats = (value: number): string => value.toFixed(2);
  return [
    `${learned} Nats per note of ${figures.melodies} that were held out (${counted(figures.notes, 'note')}), less is better${figures.chosenBy > 0 ? `; the model was chosen by ${counted(figures.chosenBy, 'other')}` : ''}:`,
    table(
      [
        { title: 'model', value: ({ name }) => name },
        { title: 'per note', value: ({ surprise }) => nats(surprise.perNote), align: 'right' },
        { title: 'pitch', value: ({ surprise }) => nats(surprise.ofPitch), align: 'right' },
        { title: 'duration', value: ({ surprise }) => nats(surprise.ofDuration), align: 'right' },
      ],
      rows,
    ),
    ...few,
  ];
}
