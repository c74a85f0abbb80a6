import { mkdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { LONGEST_MELODY_NAME, type KeptMelody } from '../../engine/api/melodies.ts';
import { possibleTempo, TRANSCRIBED_SECONDS } from '../../engine/api/melody.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { asEngineError } from '../../engine/packs/failures.ts';
import { foundTracks } from '../found-tracks.ts';
import { melodyNamed } from '../melodies.ts';
import { number } from '../options.ts';
import type { Session } from '../session.ts';
import { table } from '../text.ts';
import { toOutput } from '../write-output.ts';
import type { Cli } from '../verb.ts';

const LIBRARY = "folder with the library's data";
/** Of the names that the verbs use. */
const sources = { drawn: 'drawn', midi: 'MIDI', track: 'track' } as const;

/** Adds what is done with the melodies that a library keeps. */
export function addMelodiesKept(melody: Command, cli: Cli): void {
  melody
    .command('list')
    .description('List the melodies that a library keeps, newest first.')
    .argument('<library>', LIBRARY)
    .addHelpText('after', '\nExample:\n  archetone melody list ~/archetone-music')
    .action((folder: string) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const melodies = await session.client.call('melodies.list', { libraryId });
          return { json: { melodies }, text: listed(melodies) };
        }),
      ),
    );

  melody
    .command('add')
    .description('Keep melodies of MIDI files with the library, each under the name of its file.')
    .argument('<library>', LIBRARY)
    .argument('<files...>', 'standard MIDI files')
    .addHelpText('after', '\nExample:\n  archetone melody add ~/archetone-music ~/Tunes/*.mid')
    .action((folder: string, files: string[]) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const [added, known, problems]: [KeptMelody[], KeptMelody[], { file: string; problem: string }[]] =
            [[], [], []];
          for (const file of files) {
            try {
              const { notes, beatsPerMinute, remarks } = await client.call('melody.readMidi', {
                file: resolve(file),
              });
              for (const remark of remarks) cli.say(`${basename(file)}: ${remark}`);
              const name = basename(file, extname(file)).slice(0, LONGEST_MELODY_NAME).trim() || 'Melody';
              const kept = await client.call('melodies.keep', {
                ...{ libraryId, name, notes, beatsPerMinute: possibleTempo(beatsPerMinute) },
                ...{ source: 'midi', from: basename(file) },
              });
              (kept.known ? known : added).push(kept.melody);
            } catch (thrown) {
              const { code, message } = asEngineError(thrown);
              // What is wrong with one file says nothing of the others.
              if (code !== 'bad-input' && code !== 'unreadable') throw thrown;
              problems.push({ file, problem: message });
            }
          }
          if (added.length + known.length === 0)
            throw new EngineError(
              'bad-input',
              `No melody was kept. ${problems.map(({ file, problem }) => `${file}: ${problem}`).join(' ')}`,
              'Name standard MIDI files (.mid).',
            );
          return {
            json: { added, known, problems },
            text: [
              ...(added.length > 0 ? [listed(added)] : []),
              ...(known.length > 0 ? [`There already: ${known.map(({ name }) => name).join(', ')}`] : []),
              ...problems.map(({ file, problem }) => `${file}: ${problem}`),
            ].join('\n'),
          };
        }),
      ),
    );

  melody
    .command('transcribe')
    .description('Take the melody of a track, by Basic Pitch, and keep it with the library.')
    .argument('<library>', LIBRARY)
    .argument('<track>', 'its path below the music folder, or its title')
    .option('--start <seconds>', 'where the part begins', number(0, 86_400), 0)
    .option('--seconds <n>', 'how long it is', number(1, 600), TRANSCRIBED_SECONDS)
    .option('--all-voices', 'all notes that are heard, not the strongest voice alone', false)
    .option('--name <name>', 'of the melody; default: the title of the track')
    .option('--out <file>', 'also write it to a new MIDI file')
    .addHelpText(
      'after',
      `
Times of notes are seconds. The tempo is the one on whose sixteenths or triplets the notes begin; where none fits, that is said, also
in the MIDI file.

Example:
  archetone melody transcribe ~/archetone-music Album/song.flac --start 30 --seconds 20 --out song.mid`,
    )
    .action((folder: string, named: string, options: TranscribeOptions) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const track = await trackNamed(session, libraryId, named);
          const { notes, beatsPerMinute } = await session.run('transcribe', () =>
            client.call('melody.transcribe', {
              ...{ libraryId, trackId: track.id, oneVoice: !options.allVoices },
              ...{ startSeconds: options.start, seconds: options.seconds },
            }),
          );
          const { melody: kept, known } = await client.call('melodies.keep', {
            ...{ libraryId, notes, beatsPerMinute, source: 'track', from: track.title },
            name: (options.name ?? track.title).slice(0, LONGEST_MELODY_NAME).trim() || 'Melody',
          });
          const file = options.out === undefined ? null : resolve(options.out);
          if (file !== null)
            await client.call('melody.writeMidi', { libraryId, notes, beatsPerMinute, file });
          return {
            json: { melody: kept, known, notes, beatsPerMinute, file },
            text: `${counted(notes.length, 'note')}, ${kept.seconds.toFixed(1)} s, ${tempoOf(beatsPerMinute)}: “${kept.name}”${known ? ', which was there already' : ''}${file === null ? '' : `; ${file}`}`,
          };
        }),
      ),
    );

  melody
    .command('export')
    .description('Write melodies as MIDI files, each under its name.')
    .argument('<library>', LIBRARY)
    .argument('<names...>', 'names or ids of melodies, or “all”')
    .requiredOption('--out <dir>', 'folder for them')
    .addHelpText('after', '\nExample:\n  archetone melody export ~/archetone-music all --out ~/Tunes')
    .action((folder: string, named: string[], options: { out: string }) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { client } = session;
          const { id: libraryId } = await session.library();
          const melodies =
            named.length === 1 && named[0] === 'all'
              ? await client.call('melodies.list', { libraryId })
              : await Promise.all(named.map((name) => melodyNamed(session, libraryId, name)));
          const files: string[] = [];
          await toOutput(options.out, () => mkdir(resolve(options.out), { recursive: true }));
          const taken = new Set<string>();
          for (const { id: melodyId, name, beatsPerMinute } of melodies) {
            const { notes } = await client.call('melodies.get', { libraryId, melodyId });
            const file = join(resolve(options.out), `${freeName(fileNameOf(name), taken)}.mid`);
            await client.call('melody.writeMidi', { libraryId, notes, beatsPerMinute, file });
            files.push(file);
          }
          return { json: { files }, text: files.join('\n') || 'no melodies' };
        }),
      ),
    );

  melody
    .command('rename')
    .description('Give a melody another name.')
    .argument('<library>', LIBRARY)
    .argument('<melody>', 'its name or id')
    .argument('<name>', 'the new one')
    .addHelpText('after', '\nExample:\n  archetone melody rename ~/archetone-music "song" "Theme"')
    .action((folder: string, named: string, name: string) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const { id: melodyId } = await melodyNamed(session, libraryId, named);
          const renamed = await session.client.call('melodies.rename', { libraryId, melodyId, name });
          return { json: { melody: renamed }, text: `“${named}” is “${renamed.name}”.` };
        }),
      ),
    );

  melody
    .command('remove')
    .description('Delete melodies; files and tracks they are from stay.')
    .argument('<library>', LIBRARY)
    .argument('<names...>', 'names or ids of melodies')
    .addHelpText('after', '\nExample:\n  archetone melody remove ~/archetone-music Theme')
    .action((folder: string, named: string[]) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const removed = await Promise.all(named.map((name) => melodyNamed(session, libraryId, name)));
          const melodyIds = removed.map(({ id }) => id);
          await session.client.call('melodies.remove', { libraryId, melodyIds });
          return { json: { removed }, text: `Deleted ${removed.map(({ name }) => name).join(', ')}.` };
        }),
      ),
    );
}

const tempoOf = (beatsPerMinute: number | null): string =>
  beatsPerMinute === null ? 'no steady tempo' : `${beatsPerMinute.toFixed(1)} beats a minute`;

interface TranscribeOptions {
  start: number;
  seconds: number;
  allVoices: boolean;
  name?: string;
  out?: string;
}

/** @throws EngineError `not-found`, `bad-input` for a title that several have */
async function trackNamed(
  session: Session,
  libraryId: string,
  named: string,
): Promise<{ id: string; title: string }> {
  const path = named.replaceAll('\\', '/');
  const { tracks: all } = await foundTracks(session, { libraryId });
  const exact = all.filter((track) => track.path === path || track.id === named);
  const found = exact.length > 0 ? exact : all.filter(({ title }) => title === named);
  const [first, ...others] = found;
  if (!first)
    throw new EngineError(
      'not-found',
      `No track is “${named}”.`,
      'Name it by its path below the music folder; archetone export lists all.',
    );
  if (others.length > 0)
    throw new EngineError(
      'bad-input',
      `${counted(found.length, 'track')} are called “${named}”.`,
      `Name one by its path, such as ${first.path}.`,
    );
  return first;
}

function fileNameOf(name: string): string {
  // As systems allow, and no way out of the folder.
  return (
    Array.from(name)
      .map((letter) => (/[<>:"/\\|?*]/.test(letter) || letter < ' ' ? '_' : letter))
      .join('')
      .replace(/^\.+|[. ]+$/g, '')
      .slice(0, 120) || 'melody'
  );
}

/** The name, or that with a number behind it where another melody has it, and on some systems A is a. */
function freeName(name: string, taken: Set<string>): string {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name} (${n})`;
    const key = tried.toLowerCase();
    if (taken.has(key)) continue;
    taken.add(key);
    return tried;
  }
}

function listed(melodies: readonly KeptMelody[]): string {
  if (melodies.length === 0) return 'no melodies';
  return table<KeptMelody>(
    [
      { title: 'melody', value: ({ name }) => name },
      { title: 'notes', value: ({ notes }) => String(notes), align: 'right' },
      { title: 'seconds', value: ({ seconds }) => seconds.toFixed(1), align: 'right' },
      {
        title: 'beats a minute',
        value: ({ beatsPerMinute }) => beatsPerMinute?.toFixed(0) ?? 'none',
        align: 'right',
      },
      { title: 'source', value: ({ source }) => sources[source] },
      { title: 'from', value: ({ from }) => from ?? '' },
    ],
    melodies,
  );
}
