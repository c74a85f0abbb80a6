/**
 * Melodies on prototypes.
 *
 * *How melodies go on*: nats per note of held-out melodies by LSTM, Markov chain and controls, over seeds; each seed draws
 * melodies, splits and weights. The melodies are made up by a grammar, or MIDI files of ARCHETONE_BENCH_MELODIES.
 *
 * *Does it still sound like its class*: prototypes of an experiment on the labelled demo play melodies, and the experiment's
 * network says what it hears, beside the same notes by a sine. Needs a build (`npm run build`).
 *
 * ARCHETONE_BENCH_STEPS: only the part whose name (continuation, identity) contains it. ARCHETONE_BENCH_PLAYED (default 3):
 * melodies that each prototype plays; ARCHETONE_BENCH_PROTOTYPES (2): prototypes of each class; ARCHETONE_BENCH_ORIGINS
 * (noise,recording): what their sounds are started from.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { helpersOf } from '../../cli/helpers.ts';
import { findPlaces } from '../../cli/places.ts';
import type { EngineClient } from '../../engine/api/contract.ts';
import type { JobResult } from '../../engine/api/jobs.ts';
import { LONGEST_MELODY_SECONDS, MOST_NOTES, type MelodySound } from '../../engine/api/melody.ts';
import { createEngine } from '../../engine/engine.ts';
import { eventsOf, type MelodyEvent } from '../../models/melody/continuation/events.ts';
import { learnMelodies } from '../../models/melody/continuation/learn.ts';
import { defaultLstmSettings } from '../../models/melody/continuation/train-lstm.ts';
import { readMidi } from '../../models/melody/midi.ts';
import type { Note } from '../../models/melody/note.ts';
import { Random } from '../../models/numerics/random.ts';
import { madeUpMelody } from '../support/made-up-melodies.ts';

const root = resolve(import.meta.dirname, '../..');
const SEEDS = [1, 2, 3, 4, 5];
/** Made-up melodies of a seed. */
const MELODIES = 60;
/** Melodies that prototypes play, and prototypes of each class. */
const PLAYED = Number(process.env['ARCHETONE_BENCH_PLAYED'] ?? 3);
const PER_CLASS = Number(process.env['ARCHETONE_BENCH_PROTOTYPES'] ?? 2);
/** Seconds of each: as long as a person plays to hear it. */
const SECONDS = 8;
const named = (process.env['ARCHETONE_BENCH_ORIGINS'] ?? 'noise,recording').split(',');
const ORIGINS = (['noise', 'recording'] as const).filter((origin) => named.includes(origin));
const parts = { continuation: continuations, identity: identities };

export async function run(): Promise<void> {
  const only = process.env['ARCHETONE_BENCH_STEPS'] ?? '';
  for (const [name, part] of Object.entries(parts)) if (name.includes(only)) await part();
}

async function continuations(): Promise<void> {
  const folder = process.env['ARCHETONE_BENCH_MELODIES'];
  const limits = { notes: MOST_NOTES, seconds: LONGEST_MELODY_SECONDS };
  const given = folder === undefined ? null : readdirSync(folder).filter((name) => /\.midi?$/i.test(name));
  const melodiesOf = (seed: number): MelodyEvent[][] =>
    given === null || folder === undefined
      ? Array.from({ length: MELODIES }, (_, i) => eventsOf(madeUpMelody(1000 * seed + i), 120))
      : given.map((name) => {
          const { notes, beatsPerMinute } = readMidi(readFileSync(join(folder, name)), limits);
          return eventsOf(notes, beatsPerMinute);
        });
  const names = ['lstm', 'markov', 'unigram', 'uniform', 'shuffled'] as const;
  const all = new Map<string, number[]>();
  for (const seed of SEEDS) {
    const before = process.cpuUsage();
    const { figures, better, notes } = await learnMelodies(melodiesOf(seed), {
      settings: { ...defaultLstmSettings, seed },
    });
    const { user, system } = process.cpuUsage(before);
    if (!figures) throw new Error('too few melodies');
    for (const name of names) all.set(name, [...(all.get(name) ?? []), figures[name]?.perNote ?? NaN]);
    console.log(
      `seed ${seed}: ${names.map((name) => `${name} ${(figures[name]?.perNote ?? NaN).toFixed(3)}`).join(', ')}; ${better} chosen by ${figures.chosenBy}, told of ${figures.melodies} others (${figures.notes} of ${notes} notes); ${((user + system) / 1e6).toFixed(0)} CPU s`,
    );
  }
  for (const [name, values] of all)
    console.log(
      `${name}: mean ${mean(values).toFixed(3)} (${Math.min(...values).toFixed(3)}–${Math.max(...values).toFixed(3)})`,
    );
}

async function identities(): Promise<void> {
  const places = findPlaces(root);
  if (places.embedder === null || places.labelledDemoFolder === null) {
    console.log('skipped: build first');
    return;
  }
  const dataFolder = mkdtempSync(join(tmpdir(), 'archetone-melody-'));
  const { embedder, readers, ...rest } = places;
  const engine = await createEngine({ ...rest, ...helpersOf({ embedder, readers }), dataFolder });
  try {
    await identity(engine.client());
  } finally {
    await engine.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function identity(client: EngineClient): Promise<void> {
  const { id: libraryId } = await client.call('libraries.openDemo', { demo: 'instruments' });
  await done(client, 'import', await client.call('import.start', { libraryId }));
  const { id: taxonomyId } = await client.call('taxonomies.create', {
    libraryId,
    source: { kind: 'folders' },
  });
  const { experimentId } = await done(
    client,
    'train',
    await client.call('experiments.train', {
      libraryId,
      request: { taxonomyId, prototypesPerClass: PER_CLASS },
    }),
  );
  const { classes } = await client.call('experiments.get', { libraryId, experimentId });
  const melodies = Array.from({ length: PLAYED }, (_, i) => begun(madeUpMelody(i + 1)));
  for (const origin of ORIGINS) {
    const rows: { own: string; melody: MelodySound }[] = [];
    for (let index = 0; index < classes.length * PER_CLASS; index++)
      for (const notes of melodies) {
        const { melody } = await done(
          client,
          'melody',
          await client.call('melody.play', {
            ...{ libraryId, experimentId, index, notes },
            sound: { seed: 1, from: { origin } },
          }),
        );
        rows.push({ own: melody.classes.own.class, melody });
      }
    console.log(`from ${origin}: ${rows.length} melodies of ${classes.length} classes`);
    for (const name of classes)
      told(
        name,
        rows.filter(({ own }) => own === name).map(({ melody }) => melody),
      );
    told(
      'all',
      rows.map(({ melody }) => melody),
    );
    for (const pitched of ['pitched', 'unpitched'])
      told(
        pitched,
        rows.flatMap(({ melody }) => (melody.instrument.kind === pitched ? [melody] : [])),
      );
    interval(
      rows.map(({ melody }) => melody),
      PLAYED,
    );
  }
}

/** Of so many melodies: told as the class, in its first three, probability, that by a sine, and how many are pitched. */
function told(name: string, of: readonly MelodySound[]): void {
  if (of.length === 0) return;
  const share = (test: (melody: MelodySound) => boolean): string =>
    `${((100 * of.filter(test).length) / of.length).toFixed(0)} %`;
  console.log(
    `  ${name}: ${of.length}, told as it ${share(({ classes }) => classes.own.rank === 1)}, in the first three ${share(({ classes }) => classes.own.rank <= 3)}, probability ${mean(of.map(({ classes }) => classes.own.probability)).toFixed(2)}, by a sine ${mean(of.map(({ classes }) => classes.ownBySine)).toFixed(2)}, pitched ${share(({ instrument }) => instrument.kind === 'pitched')}`,
  );
}

/** Probability minus that by a sine, with an interval of 95 % over draws of prototypes. */
function interval(of: readonly MelodySound[], perPrototype: number): void {
  const gains = of.map(({ classes }) => classes.own.probability - classes.ownBySine);
  const each = Array.from({ length: gains.length / perPrototype }, (_, i) =>
    mean(gains.slice(i * perPrototype, (i + 1) * perPrototype)),
  );
  const random = new Random(1);
  const drawn = Array.from({ length: 2000 }, () =>
    mean(each.map(() => each[random.integer(each.length)] ?? 0)),
  ).sort((a, b) => a - b);
  console.log(
    `  probability − by a sine: ${mean(each).toFixed(2)} (${(drawn[50] ?? NaN).toFixed(2)} to ${(drawn[1949] ?? NaN).toFixed(2)})`,
  );
}

/** What of a melody begins in its first seconds. */
const begun = (notes: readonly Note[]): Note[] => notes.filter(({ onsetSeconds }) => onsetSeconds < SECONDS);

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

async function done<K extends JobResult['kind']>(
  client: EngineClient,
  kind: K,
  { jobId }: { jobId: string },
): Promise<Extract<JobResult, { kind: K }>> {
  for (;;) {
    const job = await client.call('jobs.get', { jobId });
    if (job.state === 'done' && job.result?.kind === kind)
      return job.result as Extract<JobResult, { kind: K }>;
    if (job.finishedAt !== null) throw new Error(`${job.title}: ${job.error?.message ?? job.state}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}
