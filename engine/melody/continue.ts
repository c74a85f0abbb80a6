import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { continueMelody } from '../../models/melody/continuation/continue.ts';
import { eventsOf, type MelodyEvent } from '../../models/melody/continuation/events.ts';
import { LEAST_FOR_LSTM, learnMelodies } from '../../models/melody/continuation/learn.ts';
import { LstmModel } from '../../models/melody/continuation/lstm.ts';
import { markovModel } from '../../models/melody/continuation/markov.ts';
import { checkLimits } from '../../models/melody/midi.ts';
import { inOrder } from '../../models/melody/note.ts';
import { Pacer } from '../../models/numerics/pacer.ts';
import { EngineError } from '../api/errors.ts';
import { melodiesMethods, type MelodyContinuation, type MelodyLearning } from '../api/melodies.ts';
import type { JobHandle } from '../jobs/queue.ts';
import type { Library } from '../library/library.ts';
import type { StoredLearning } from '../library/melodies.ts';
import { limits } from './play.ts';

/** What a job that continues a melody is told. */
export const continueSpecSchema = melodiesMethods['melodies.continue'].input;

/** The way to learn of this version: another one learns something else. */
const VERSION = 2;
const PERCENT = 100;
/** Reading a note, in units of {@link Pacer.due}. */
const WORK_PER_NOTE = 1000;

/**
 * Continues a melody as the melodies of the library go on; learns from them where that was not done.
 * @throws EngineError `bad-input` without melodies, or with too few for the LSTM that was asked for; MelodyError where it
 * becomes too long; the signal's reason
 */
export async function continueInLibrary(
  library: Library,
  request: Omit<z.output<typeof continueSpecSchema>, 'libraryId'>,
  job: JobHandle,
): Promise<MelodyContinuation> {
  const given = inOrder(request.notes);
  const digest = digestOf(library);
  const melodies = await eventsOfAll(library, job.signal);
  if (digest === null)
    throw new EngineError(
      'bad-input',
      'This library keeps no melody to learn from.',
      'Keep some first: draw them, import MIDI files, or take the melodies of tracks.',
    );
  const { learning, graph } =
    library.melodies.learned(digest) ?? (await learn(library, digest, melodies, job));
  const model = request.model === 'better' ? learning.better : request.model;
  const { beatsPerMinute, bars, temperature, seed } = request;
  const settings = { beatsPerMinute, bars, temperature, seed };
  const options = { signal: job.signal };
  let added;
  if (model === 'markov')
    added = await continueMelody(await markovModel(melodies, options), given, settings, job.signal);
  else {
    if (!graph)
      throw new EngineError(
        'bad-input',
        `An LSTM is learned from ${learning.needed} different melodies or more; this library keeps ${learning.melodies}.`,
        'Keep more melodies, or take the Markov chain.',
      );
    const lstm = await LstmModel.open(graph);
    try {
      added = await continueMelody(lstm, given, settings, job.signal);
    } finally {
      await lstm.close();
    }
  }
  checkLimits([...given, ...added], limits);
  return { notes: added, model, learning };
}

/** The melodies as they are when it is called, read one by one. */
async function eventsOfAll(library: Library, signal: AbortSignal): Promise<MelodyEvent[][]> {
  const pacer = new Pacer(signal);
  const events: MelodyEvent[][] = [];
  for (const { notes, count, beatsPerMinute } of library.melodies.all()) {
    if (pacer.due(count * WORK_PER_NOTE)) await pacer.pause();
    events.push(eventsOf(notes(), beatsPerMinute));
  }
  return events;
}

/** What was learned from the melodies of a library as they are; null where nothing was. */
export function learningOf(library: Library): MelodyLearning | null {
  const digest = digestOf(library);
  return digest === null ? null : (library.melodies.learned(digest)?.learning ?? null);
}

function digestOf(library: Library): string | null {
  const digest = library.melodies.digest();
  return digest === null ? null : createHash('sha256').update(`${VERSION} ${digest}`).digest('hex');
}

async function learn(
  library: Library,
  digest: string,
  melodies: Parameters<typeof learnMelodies>[0],
  job: JobHandle,
): Promise<StoredLearning> {
  const report = (share: number): void =>
    job.report({ done: Math.floor(PERCENT * share), total: PERCENT, unit: 'percent', current: 'learning' });
  report(0);
  const learned = await learnMelodies(melodies, {
    signal: job.signal,
    onProgress: report,
    pace: () => job.checkpoint(),
  });
  const { better, figures, notes, lstm: graph } = learned;
  const learning = { melodies: learned.melodies, notes, needed: LEAST_FOR_LSTM, better, figures };
  // Melodies may have come or gone meanwhile: what was learned is of those it was learned from.
  library.melodies.keepLearned(digest, { learning, graph });
  return { learning, graph };
}
