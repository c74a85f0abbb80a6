import type { TrainRequest } from '../../../engine/api/experiments.ts';
import type { Taxonomy, ReadSource } from '../../../engine/api/taxonomies.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import { playPrototype } from '../session/audition.ts';
import type { LibrarySession } from '../session/library-session.svelte.ts';
import type { App } from '../shell/app.svelte.ts';
import type { ViewId } from '../shell/command-list.ts';
import { plural } from '../ui/format.ts';
import { trainDefaults } from './defaults.ts';
import { presets } from './presets.ts';

/** Where labels may come from without asking, the surest first: what a person sorted, then what names say. */
const sources: readonly ReadSource[] = [
  { kind: 'folders' },
  { kind: 'tags', field: 'genre' },
  { kind: 'tokens' },
];

/** Two labels are told apart at least, each by enough tracks to learn from and be tested on. */
const learnable = ({ labels }: Taxonomy): boolean =>
  labels.filter(({ tracks }) => tracks >= trainDefaults.minimumTracks).length > 1;

/** What ends the search for labels, whichever source it came from. */
const final: ReadonlySet<string> = new Set(['cancelled', 'engine-restarted', 'disk-full', 'database']);

/**
 * The chosen labels, or the first that can be learned of those a library brings along. A source that gives none is passed
 * over, and nothing of it stays.
 * @throws EngineError `too-few-labels`; what was wrong with the first source where none could be read
 */
async function labelsOf({ taxonomies, notices }: LibrarySession): Promise<Taxonomy> {
  if (taxonomies.current) return taxonomies.current;
  const problems: EngineError[] = [];
  for (const source of sources) {
    let made: Taxonomy;
    try {
      made = await taxonomies.create(source);
    } catch (thrown) {
      const problem = EngineError.from(thrown);
      if (final.has(problem.code)) throw problem;
      problems.push(problem);
      continue;
    }
    if (learnable(made)) {
      notices.add(
        'info',
        `Labels are taken from ${made.name.toLowerCase()}: ${plural(made.labels.length, 'label')}.`,
        {
          hint: 'Choose others with + beside the taxonomy.',
        },
      );
      return made;
    }
    await taxonomies.remove(made.id);
  }
  if (problems.length === sources.length && problems[0]) throw problems[0];
  throw new EngineError(
    'too-few-labels',
    'Neither folders nor tags nor file names give two labels with enough tracks.',
    'Label some tracks by hand: New taxonomy, By hand, then F2 on a track.',
  );
}

/** A short training for those who start: several labels where tracks have them. */
const quickRequest = (taxonomy: Taxonomy): Omit<TrainRequest, 'taxonomyId'> => {
  const { steps, prototypesPerClass } = presets.quick;
  return { ...trainDefaults, steps, prototypesPerClass, task: taxonomy.multilabel ? 'multi' : 'single' };
};

/**
 * Trains and plays the first prototype, wherever the person is by then; makes labels first where there are none. What
 * goes wrong is told.
 */
export async function trainAndHear(
  app: App,
  session: LibrarySession,
  parameters?: Omit<TrainRequest, 'taxonomyId'>,
): Promise<void> {
  await session.notices.attempt(async () => {
    const taxonomy = await labelsOf(session);
    app.view = 'train';
    await session.experiments.train({
      ...(parameters ?? quickRequest(taxonomy)),
      taxonomyId: taxonomy.id,
    });
    // Whoever went elsewhere meanwhile is not brought back.
    if (viewOf(app) !== 'train' || session.closed) return;
    app.view = 'prototypes';
    await session.prototypes.reload();
    const [first] = session.prototypes.list;
    if (first) await playPrototype(session, first.index);
  });
}

/** It may have changed while something was waited for. */
const viewOf = (app: App): ViewId => app.view;
