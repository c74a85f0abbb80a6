import { InvalidArgumentError } from 'commander';
import type { Experiment } from '../../engine/api/experiments.ts';
import { headline } from '../../engine/api/metric-names.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { pairs, percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface Options {
  library: string;
  name?: string;
  notes?: string;
  /** Undefined where neither `--pin` nor `--no-pin` was given. */
  pin?: boolean;
}

/** Adds `archetone experiments`. */
export const experimentsVerb: AddVerb = (program, cli) => {
  const group = program
    .command('experiments')
    .description('List, name, annotate, pin and remove the experiments of a library.')
    .addHelpText(
      'after',
      `
Examples:
  archetone experiments list --library ~/archetone-music
  archetone experiments describe latest --name "Drums, final" --notes "For the talk" --pin --library ~/archetone-music
  archetone experiments remove 3f2a --library ~/archetone-music`,
    );
  const library = ['--library <dir>', "folder with the library's data"] as const;

  group
    .command('list')
    .description('Experiments, pinned ones first, then newest first.')
    .requiredOption(...library)
    .action((options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const found = await session.client.call('experiments.list', { libraryId });
          const experiments = [...found].sort((a, b) => Number(b.pinned) - Number(a.pinned));
          return { json: { experiments: experiments.map(summary) }, text: listed(experiments) };
        }),
      ),
    );

  group
    .command('describe')
    .description('Name an experiment, write notes about it, pin it before the others.')
    .argument('<experiment>', 'experiment, or latest')
    .requiredOption(...library)
    .option('--name <text>', 'what it is called', text(200))
    .option('--notes <text>', 'notes, in the place of those it has', text(10_000))
    .option('--pin', 'first in lists')
    .option('--no-pin', 'in its turn')
    .action((name: string, options: Options) =>
      cli.answer(() => {
        const change = { name: options.name, notes: options.notes, pinned: options.pin };
        if (Object.values(change).every((value) => value === undefined))
          throw new EngineError(
            'bad-input',
            'Nothing is to be changed.',
            'Give --name, --notes, --pin or --no-pin.',
          );
        return cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const { id: experimentId } = await session.experiment(libraryId, name);
          const experiment = await session.client.call('experiments.describe', {
            ...{ libraryId, experimentId },
            ...change,
          });
          return { json: { experiment: summary(experiment) }, text: described(experiment) };
        });
      }),
    );

  group
    .command('remove')
    .description('Remove an experiment with its revisions and predictions.')
    .argument('<experiment>', 'experiment, or latest')
    .requiredOption(...library)
    .action((name: string, options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const { id: experimentId, name: called } = await session.experiment(libraryId, name);
          await session.client.call('experiments.remove', { libraryId, experimentId });
          return { json: { removed: experimentId }, text: `Removed “${called}”.` };
        }),
      ),
    );
};

const text =
  (most: number) =>
  (given: string): string => {
    if (given.length <= most) return given;
    throw new InvalidArgumentError(`at most ${String(most)} characters`);
  };

function summary(experiment: Experiment) {
  const { id, name, notes, pinned, taxonomyName, classes, revision, createdAt, parameters } = experiment;
  const best = headline(experiment);
  return {
    ...{ id, name, notes, pinned, taxonomy: taxonomyName, classes: classes.length, revision, createdAt },
    score: best && { name: best.name.title, value: best.value },
    parameters,
  };
}

const score = (experiment: Experiment): string => {
  const best = headline(experiment);
  return best ? `${percent(best.value)} ${best.name.title}` : '–';
};

function described(experiment: Experiment): string {
  return pairs([
    ['experiment', experiment.id],
    ['name', experiment.name],
    ['notes', experiment.notes || '–'],
    ['pinned', experiment.pinned ? 'yes' : 'no'],
  ]);
}

function listed(experiments: readonly Experiment[]): string {
  if (experiments.length === 0) return 'The library has no experiment. Train one: archetone train --help';
  return table<Experiment>(
    [
      { title: 'experiment', value: ({ id }) => id },
      { title: 'pinned', value: ({ pinned }) => (pinned ? '*' : '') },
      { title: 'name', value: ({ name }) => name },
      { title: 'taxonomy', value: ({ taxonomyName }) => taxonomyName },
      { title: 'classes', value: ({ classes }) => String(classes.length), align: 'right' },
      { title: 'score', value: score },
      { title: 'made', value: ({ createdAt }) => createdAt.slice(0, 16).replace('T', ' ') },
      { title: 'notes', value: ({ notes }) => firstLine(notes) },
    ],
    experiments,
  );
}

const firstLine = (notes: string): string => {
  const [line = '', ...more] = notes.split('\n');
  return more.length > 0 || line.length > 60 ? `${line.slice(0, 59)}…` : line;
};
