import type * as z from 'zod';
import { EngineError } from '../api/errors.ts';
import type { ListeningRound, ListeningSummary, ListeningTest, listeningMethods } from '../api/listening.ts';
import type { EngineContext } from '../context.ts';
import { newId } from '../identifier.ts';
import type { Library } from '../library/library.ts';
import type { StoredListening } from '../library/listening.ts';
import { windowRefs } from '../neighbours/nearest.ts';
import { packOfSpace } from '../packs/of-space.ts';
import { factsOf } from '../prototypes/facts.ts';
import { partOfView, partsOf } from '../prototypes/parts.ts';
import { drawRounds } from './draw.ts';
import { answersTo, scoresOf } from './score.ts';

type StartRequest = Omit<z.output<(typeof listeningMethods)['listening.start']['input']>, 'libraryId'>;

/**
 * Draws the questions of a test about an experiment's present prototypes, and keeps it.
 * @throws EngineError `not-found`; `pack` for one that makes no sound; `bad-input` where nothing can be asked; `other-space`;
 * the signal's reason
 */
export async function startTest(
  context: EngineContext,
  library: Library,
  { experimentId, sound, ...drawn }: StartRequest,
  signal: AbortSignal,
): Promise<ListeningTest> {
  const experiment = library.experiments.get(experimentId);
  if (drawn.classRounds + drawn.realRounds + drawn.abxRounds === 0)
    throw new EngineError('bad-input', 'The test asks nothing.', 'Ask for some rounds of one kind.');
  if (drawn.classRounds > 0 && experiment.classes.length < 2)
    throw new EngineError(
      'bad-input',
      'The experiment has one class: there is nothing to choose from.',
      'Ask only which excerpt is real, or which of two sounds X is.',
    );
  const { manifest } = packOfSpace(context, experiment.space, 'this experiment was made with');
  if (manifest.kind !== 'generative' || !manifest.sampler)
    throw new EngineError(
      'pack',
      `The pack “${manifest.title}” only makes embeddings; it cannot make sound.`,
      'Open the library with a generative pack, such as the compact pack, to hear prototypes.',
    );
  const network = library.experiments.network(experimentId, experiment.revision);
  const vectors = library.embeddings.madeIn(experiment.space, 'This experiment');
  const part = partOfView(partsOf(experiment, network), 0);
  const { nearest } = await factsOf(library, experiment, part, vectors, signal);
  const rounds = drawRounds(
    {
      classes: experiment.classes,
      network,
      excerptOf: (index) => {
        const [found] = windowRefs(library, vectors, (nearest[index] ?? []).slice(0, 1));
        if (!found) return null;
        const { trackId, path, windowIndex, startSeconds } = found;
        return { trackId, path, windowIndex, startSeconds };
      },
    },
    drawn,
  );
  if (rounds.length === 0)
    throw new EngineError(
      'bad-input',
      'No track of the library is embedded, so there is no real excerpt to ask about.',
      'Import the library, or ask only which class a sound is of.',
    );
  const test: StoredListening = {
    ...{ id: newId(), experimentId, revision: experiment.revision, seed: drawn.seed },
    settings: {
      ...{ seed: sound.seed, from: sound.from },
      steps: sound.steps ?? manifest.sampler.steps,
      guidance: sound.guidance ?? manifest.sampler.guidance,
    },
    rounds,
    ...{ createdAt: new Date().toISOString(), finishedAt: null },
  };
  library.listening.insert(test);
  return told(library, test);
}

/** Keeps an answer. @throws EngineError `not-found`; `bad-input` for what was not offered, or was answered before */
export function answerRound(
  library: Library,
  { testId, round: place, answer }: { testId: string; round: number; answer: string },
): ListeningTest {
  const test = library.listening.get(testId);
  const round = test.rounds[place];
  if (!round)
    throw new EngineError('not-found', `The test has no round ${place}; it has ${test.rounds.length}.`);
  if (round.answer !== null)
    throw new EngineError('bad-input', `Round ${place} was answered already.`, 'Go on with the next one.');
  const rounds = test.rounds.with(place, answered(round, answer));
  const finished = rounds.every((of) => of.answer !== null);
  const next = { ...test, rounds, finishedAt: finished ? new Date().toISOString() : null };
  library.listening.update(next);
  return told(library, next);
}

function answered(round: ListeningRound, answer: string): ListeningRound {
  if (round.kind === 'class' && round.choices.includes(answer)) return { ...round, answer };
  if (round.kind !== 'class' && (answer === 'first' || answer === 'second')) return { ...round, answer };
  const offered = answersTo(round).join(', ');
  throw new EngineError('bad-input', `“${answer}” was not offered.`, `Answer one of: ${offered}.`);
}

/** @throws EngineError `not-found` */
export function testOf(library: Library, testId: string): ListeningTest {
  return told(library, library.listening.get(testId));
}

function told(library: Library, test: StoredListening): ListeningTest {
  return { summary: summaryOf(library, test), questions: test.rounds };
}

export function summaryOf(library: Library, test: StoredListening): ListeningSummary {
  const { id, experimentId, revision, settings, seed, rounds, createdAt, finishedAt } = test;
  const { name: experimentName, space } = library.experiments.get(experimentId);
  return {
    ...{ id, experimentId, experimentName, revision, space, settings, seed, createdAt, finishedAt },
    rounds: rounds.length,
    answered: rounds.filter(({ answer }) => answer !== null).length,
    scores: scoresOf(rounds),
  };
}
