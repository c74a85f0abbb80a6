import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { instrumentOf, type Instrument } from '../../models/melody/instrument.ts';
import { checkLimits } from '../../models/melody/midi.ts';
import { hertzOf, inOrder } from '../../models/melody/note.ts';
import { renderMelody } from '../../models/melody/render.ts';
import { EngineError } from '../api/errors.ts';
import {
  LONGEST_MELODY_SECONDS,
  MOST_NOTES,
  melodyMethods,
  type MelodyClasses,
  type MelodyInstrument,
  type MelodySound,
} from '../api/melody.ts';
import { refuseExisting, writeNew } from '../bundles/write-new.ts';
import { openClassifier } from '../classify/files.ts';
import type { EngineContext } from '../context.ts';
import { cutSamples } from '../decode/cut.ts';
import { writeWhole } from '../files/write-whole.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import { resolveVector } from '../neighbours/vector-ref.ts';
import { packOfSpace } from '../packs/of-space.ts';
import { sonifyTargets } from '../sonify/sonify.ts';

export const limits = { notes: MOST_NOTES, seconds: LONGEST_MELODY_SECONDS };

/** What a melody job is told. */
export const playSpecSchema = melodyMethods['melody.play'].input;
export type PlayRequest = Omit<z.output<typeof playSpecSchema>, 'libraryId'>;

/** The way to play of this version: another one makes other files. */
const VERSION = 1;

/**
 * Plays notes on a prototype's sound, and asks the experiment's network what it hears in it, and in the same notes by a sine.
 * @throws EngineError as {@link sonifyTargets}; `bad-input` for a file that is there already; MelodyError; the signal's
 * reason
 */
export async function playMelody(
  context: EngineContext,
  library: Library,
  request: PlayRequest,
  job: JobHandle,
): Promise<MelodySound> {
  const { experimentId, index, sound } = request;
  const notes = inOrder(request.notes);
  checkLimits(notes, limits);
  const file = request.file === undefined ? null : resolve(request.file);
  // Before a sound is made, which takes a while.
  if (file !== null) refuseExisting(file);
  const target = { kind: 'prototype', experimentId, index } as const;
  const made = await sonifyTargets(context, library, { targets: [target], ...sound }, job);
  const [first] = made;
  if (!first) throw new EngineError('internal', 'The sound that was just made is gone.');
  const soundId = first.sonification.id;
  const { space } = resolveVector(library, target);
  const { sampleRate } = packOfSpace(context, space, 'this prototype was trained with').manifest;
  const whole = { startSeconds: 0, seconds: first.sonification.durationSeconds };
  const samples = await cutSamples(context.readers, library.sonifications.path(soundId), whole, {
    ...{ sampleRate, signal: job.signal },
  });
  const instrument = await instrumentOf(samples, sampleRate, job.signal);
  const total = 2 * notes.length + 2;
  const play = async (by: Instrument, before: number) =>
    renderMelody(by, notes, {
      signal: job.signal,
      onNote: (n) => job.report({ done: before + n, total, unit: 'notes' }),
    });
  const melody = await play(instrument, 0);
  const bytes = encodeWav(melody.samples, sampleRate, 'pcm16');
  const id = createHash('sha256')
    .update(JSON.stringify([VERSION, soundId, notes]))
    .digest('hex')
    .slice(0, 32);
  const path = library.sonifications.passingPath(`${id}.melody`);
  await library.sonifications.sweepFirst();
  await mkdir(dirname(path), { recursive: true });
  job.signal.throwIfAborted();
  await writeWhole(path, bytes);
  const sine = await play(sineAt(sampleRate), notes.length);
  const control = library.sonifications.passingPath(`${id}.sine`);
  await writeWhole(control, encodeWav(sine.samples, sampleRate, 'pcm16'));
  const classify = await openClassifier(context, library, experimentId, job.lane);
  const heard = await classify(path, job.signal);
  job.report({ done: total - 1, total, unit: 'notes' });
  const bySine = await classify(control, job.signal);
  const own = classOf(library, experimentId, index);
  if (file !== null) await writeNew(file, bytes);
  return {
    id,
    url: context.media.urlFor(path, 'audio/wav'),
    durationSeconds: melody.samples.length / sampleRate,
    loweredDb: melody.loweredDb,
    instrument: describeInstrument(instrument),
    classes: classesOf(own, heard.file.scores, bySine.file.scores),
    file,
  };
}

type Scores = readonly { class: string; probability: number }[];

function classesOf(own: string, scores: Scores, bySine: Scores): MelodyClasses {
  const probabilityIn = (of: Scores): number => of.find((score) => score.class === own)?.probability ?? 0;
  const ordered = scores
    .map(({ class: name, probability }) => ({ class: name, probability }))
    .sort((a, b) => b.probability - a.probability);
  const rank = ordered.findIndex((score) => score.class === own) + 1;
  return {
    scores: ordered,
    own: { class: own, probability: probabilityIn(scores), rank },
    ownBySine: probabilityIn(bySine),
  };
}

function classOf(library: Library, experimentId: string, index: number): string {
  const { classes } = library.experiments.get(experimentId);
  return classes[library.experiments.anyNetwork(experimentId).classOf(index)] ?? '';
}

/** A period of a sine that is a whole number of samples, repeated; what is heard of a melody without the prototype. */
function sineAt(sampleRate: number): Instrument {
  const period = Math.round(sampleRate / hertzOf(69));
  const samples = Float32Array.from(
    { length: 40 * period },
    (_, n) => 0.18 * Math.sin((2 * Math.PI * n) / period),
  );
  return {
    ...{ kind: 'pitched', samples, sampleRate, hertz: sampleRate / period, clarity: 1 },
    ...{ startSeconds: 0, endSeconds: samples.length / sampleRate },
    loop: { start: 4 * period, end: 36 * period, likeness: 1 },
  };
}

function describeInstrument(instrument: Instrument): MelodyInstrument {
  const { kind, clarity, startSeconds, endSeconds } = instrument;
  const pitched = instrument.kind === 'pitched' ? instrument : null;
  return {
    ...{ kind, clarity, startSeconds, endSeconds },
    hertz: pitched?.hertz ?? null,
    loopLikeness: pitched?.loop?.likeness ?? null,
  };
}
