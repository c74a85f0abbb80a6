import type { Command } from 'commander';
import type { Experiment } from '../../engine/api/experiments.ts';
import type {
  Change,
  ComparedModel,
  EditPreview,
  Flip,
  ModelComparison,
  ModelRef,
  PrototypeEdit,
  PrototypeInfo,
  PrototypePair,
  PrototypeSource,
  RevisionInfo,
  RevisionLog,
} from '../../engine/api/prototypes.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { number, seedNumber, wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
import { pairs, percent, table } from '../text.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';

interface Common {
  experiment: string;
}

interface EditOptions extends Common {
  preview: boolean;
  keep: boolean;
}

interface SourceOptions {
  window?: { trackId: string; windowIndex: number };
  tracks?: string[];
  from?: { id: string; index: number };
  generated?: { id: string; index: number };
}

const MOST = 100_000;
/** Prototypes are counted from 0, as `archetone sonify` and the exported tables do. */
const place = wholeNumber(0, MOST);
/** Collects several of them. */
const places = (text: string, before?: number[]): number[] => [...(before ?? []), place(text)];

/** Adds `archetone prototypes`. */
export const prototypesVerb: AddVerb = (program, cli) => {
  const verb = program
    .command('prototypes')
    .description('See and edit the prototypes of an experiment; every edit can be previewed and undone.')
    .addHelpText(
      'after',
      `
Prototypes are counted from 0. Every edit takes --preview (say what it would do, change nothing) and --keep (make it of a
copy, as a new experiment).

Examples:
  archetone prototypes list ~/archetone-music
  archetone prototypes remove ~/archetone-music 4 --preview
  archetone prototypes merge ~/archetone-music 4 5
  archetone prototypes retrain ~/archetone-music --freeze 4 5 --steps 500
  archetone prototypes undo ~/archetone-music`,
    );

  about(cli, verb, 'list', 'Prototypes with what they stand for.', async (client, at, experiment) => {
    const prototypes = await client.call('prototypes.list', at);
    return { json: { experiment, prototypes }, text: described(prototypes, experiment) };
  });
  about(cli, verb, 'log', 'The history: revisions that can be gone back to.', async (client, at) => {
    const log = await client.call('prototypes.log', at);
    return { json: log, text: history(log) };
  });
  for (const [name, description] of [
    ['undo', 'Goes back one step of the history.'],
    ['redo', 'Goes forward again.'],
  ] as const)
    about(cli, verb, name, description, async (client, at) => {
      const experiment = await client.call(`prototypes.${name}`, at);
      return { json: { experiment }, text: `Now at revision ${experiment.revision}.` };
    });

  withExperiment(verb.command('restore'))
    .description('Goes to a revision; undo leads back.')
    .argument('<revision>', 'as `log` counts them', wholeNumber(1, MOST))
    .action((folder: string, revision: number, options: Common) =>
      run(cli, folder, options, async ({ client }, at) => {
        const experiment = await client.call('prototypes.restore', { ...at, revision });
        return { json: { experiment }, text: `Now at revision ${experiment.revision}.` };
      }),
    );
  withExperiment(verb.command('name'))
    .description('Names a revision, so that it is found again.')
    .argument('<revision>', 'as `log` counts them', wholeNumber(1, MOST))
    .argument('<name>', 'empty: takes the name away')
    .action((folder: string, revision: number, name: string, options: Common) =>
      run(cli, folder, options, async ({ client }, at) => {
        await client.call('prototypes.nameRevision', { ...at, revision, name });
        const log = await client.call('prototypes.log', at);
        return { json: log, text: history(log) };
      }),
    );

  withSource(edits(verb.command('add')))
    .description('Adds a prototype of a class.')
    .argument('<class>', 'class of the new prototype')
    .option('--name <name>', 'what to call it')
    .option(
      '--view <n>',
      'of an experiment of several views: the one it is added to, as list counts them',
      wholeNumber(0, 99),
    )
    .action(
      (
        folder: string,
        name: string,
        options: EditOptions & SourceOptions & { name?: string; view?: number },
      ) =>
        edit(cli, folder, options, () => ({
          ...{ kind: 'add', class: name, vector: sourceOf(options) },
          ...(options.name !== undefined && { name: options.name }),
          ...(options.view !== undefined && { view: options.view }),
        })),
    );
  edits(verb.command('remove'))
    .description('Removes a prototype; its weight goes to the others of its class.')
    .argument('<prototype>', 'number of the prototype', place)
    .action((folder: string, index: number, options: EditOptions) =>
      edit(cli, folder, options, () => ({ kind: 'remove', index })),
    );
  withSource(edits(verb.command('move')))
    .description('Moves a prototype onto a window, or onto another vector.')
    .argument('<prototype>', 'number of the prototype', place)
    .action((folder: string, index: number, options: EditOptions & SourceOptions) =>
      edit(cli, folder, options, () => ({ kind: 'move', index, vector: sourceOf(options) })),
    );
  edits(verb.command('merge'))
    .description('Makes several prototypes of a class one, in their middle.')
    .argument('<prototypes...>', 'numbers of the prototypes', places)
    .action((folder: string, indices: number[], options: EditOptions) =>
      edit(cli, folder, options, () => ({ kind: 'merge', indices })),
    );
  edits(verb.command('split'))
    .description('Makes a prototype two, by the training windows that are nearest to it.')
    .argument('<prototype>', 'number of the prototype', place)
    .action((folder: string, index: number, options: EditOptions) =>
      edit(cli, folder, options, () => ({ kind: 'split', index })),
    );
  edits(verb.command('rename'))
    .description('Names a prototype.')
    .argument('<prototype>', 'number of the prototype', place)
    .argument('<name>', 'empty: takes the name away')
    .action((folder: string, index: number, name: string, options: EditOptions) =>
      edit(cli, folder, options, () => ({ kind: 'rename', index, name })),
    );
  edits(verb.command('reassign'))
    .description('Gives a prototype to another class.')
    .argument('<prototype>', 'number of the prototype', place)
    .argument('<class>', 'its new class')
    .action((folder: string, index: number, name: string, options: EditOptions) =>
      edit(cli, folder, options, () => ({ kind: 'reassign', index, class: name })),
    );
  edits(verb.command('weight'))
    .description('Sets the weight of a prototype towards a class.')
    .argument('<prototype>', 'number of the prototype', place)
    .argument('<class>', 'class')
    .argument('<value>', 'weight', number(-1000, 1000))
    .action((folder: string, index: number, name: string, value: number, options: EditOptions) =>
      edit(cli, folder, options, () => ({ kind: 'weight', index, class: name, value })),
    );
  addRetraining(cli, verb);
  verb
    .command('compare')
    .description('Two experiments or revisions, prototype by prototype: what stayed, moved, came and went.')
    .argument('<library>', "folder with the library's data")
    .argument('<first>', 'an experiment, or latest; with :revision, that revision of it', modelName)
    .argument('<second>', 'the same', modelName)
    .addHelpText('after', '\nExample:\n  archetone prototypes compare ~/archetone-music latest:1 latest')
    .action((folder: string, first: ModelName, second: ModelName) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const comparison = await session.client.call('prototypes.compare', {
            libraryId,
            first: await modelOf(session, libraryId, first),
            second: await modelOf(session, libraryId, second),
          });
          return { json: comparison, text: compared(comparison) };
        }),
      ),
    );
};

/** Adds `freeze`, `unfreeze` and `retrain`. */
function addRetraining(cli: Cli, verb: Command): void {
  for (const frozen of [true, false])
    edits(verb.command(frozen ? 'freeze' : 'unfreeze'))
      .description(
        frozen
          ? 'Keeps prototypes as they are, place and weights, when the rest is retrained.'
          : 'Lets retraining move prototypes again.',
      )
      .argument('<prototypes...>', 'numbers of the prototypes', places)
      .action((folder: string, indices: number[], options: EditOptions) =>
        edit(cli, folder, options, () => ({ kind: 'freeze', indices, frozen })),
      );
  withExperiment(verb.command('retrain'))
    .description('Trains the present revision further, around frozen prototypes: a new revision.')
    .option('--freeze <prototypes...>', 'freeze these first; they stay frozen', places)
    .option('--steps <n>', 'updates; default: as many as it was trained with', wholeNumber(1, 200_000))
    .option('--seed <n>', 'the same seed gives the same result', seedNumber)
    .action((folder: string, options: Common & { freeze?: number[]; steps?: number; seed?: number }) =>
      run(cli, folder, options, async (session, at, before) => {
        const { freeze = [], steps, seed } = options;
        const { experimentId, revision, asNew } = await session.run('retrain', (client) =>
          client.call('prototypes.retrain', {
            ...{ ...at, revision: before.revision, freeze },
            ...(steps !== undefined && { steps }),
            ...(seed !== undefined && { seed }),
          }),
        );
        const log = await session.client.call('prototypes.log', { ...at, experimentId });
        return {
          json: { experimentId, revision, asNew, log },
          text: `${history(log)}\n\n${asNew ? `Kept as experiment ${experimentId}.` : `Revision ${revision}; “archetone prototypes undo” goes back.`}`,
        };
      }),
    );
}

interface ModelName {
  experiment: string;
  revision: number | null;
}

/** “latest:2”: an experiment, and a revision of it. */
function modelName(text: string): ModelName {
  const at = text.lastIndexOf(':');
  return at < 0
    ? { experiment: text, revision: null }
    : { experiment: text.slice(0, at), revision: wholeNumber(1, MOST)(text.slice(at + 1)) };
}

async function modelOf(
  session: Session,
  libraryId: string,
  { experiment, revision }: ModelName,
): Promise<ModelRef> {
  const { id: experimentId } = await session.experiment(libraryId, experiment);
  return { experimentId, ...(revision !== null && { revision }) };
}

function compared({ first, second, pairs: matched, words }: ModelComparison): string {
  const rows = table<PrototypePair>(
    [
      { title: 'A', value: ({ first: of }) => (of ? `${of.class} ${of.index}` : '–') },
      { title: 'B', value: ({ second: of }) => (of ? `${of.class} ${of.index}` : '–') },
      {
        title: 'distance',
        value: ({ distance }) => (distance === null ? '–' : distance.toFixed(3)),
        align: 'right',
      },
      { title: 'what changed', value: ({ change }) => change },
    ],
    matched,
  );
  const model = ({ name, revision, change }: ComparedModel): string =>
    `${name}, revision ${revision} (${change})`;
  const models = pairs([
    ['A', model(first)],
    ['B', model(second)],
  ]);
  return [models, words.join('\n'), rows].join('\n\n');
}

function withExperiment(command: Command): Command {
  return command
    .argument('<library>', "folder with the library's data")
    .option('--experiment <id>', 'experiment, or latest', 'latest');
}

function edits(command: Command): Command {
  return withExperiment(command)
    .option('--preview', 'say what it would do, and change nothing', false)
    .option('--keep', 'make it of a copy: a new experiment', false);
}

function withSource(command: Command): Command {
  return command
    .option('--window <track:window>', 'a window of a track: its id, and the window counted from 0', numbered)
    .option('--tracks <ids...>', 'the mean of some tracks')
    .option('--from <experiment:prototype>', 'a prototype of an experiment', numbered)
    .option('--generated <reduction:prototype>', 'a generated prototype of a reduction', numbered);
}

function numbered(text: string): { id: string; index: number; trackId: string; windowIndex: number } {
  const at = text.lastIndexOf(':');
  const index = place(text.slice(at + 1));
  const id = text.slice(0, Math.max(0, at));
  return { id, index, trackId: id, windowIndex: index };
}

/** @throws EngineError `bad-input` unless exactly one is named */
function sourceOf({ window, tracks, from, generated }: SourceOptions): PrototypeSource {
  const named: PrototypeSource[] = [
    ...(window
      ? [{ kind: 'window' as const, trackId: window.trackId, windowIndex: window.windowIndex }]
      : []),
    ...(tracks ? [{ kind: 'mean' as const, trackIds: tracks }] : []),
    ...(from ? [{ kind: 'prototype' as const, experimentId: from.id, index: from.index }] : []),
    ...(generated ? [{ kind: 'generated' as const, reductionId: generated.id, index: generated.index }] : []),
  ];
  const [source, ...more] = named;
  if (source && more.length === 0) return source;
  throw new EngineError(
    'bad-input',
    source ? 'Several vectors were named.' : 'No vector was named.',
    'Name one: --window, --tracks, --from or --generated.',
  );
}

type At = { libraryId: string; experimentId: string };

/** Adds a verb about an experiment that takes nothing else. */
function about(
  cli: Cli,
  verb: Command,
  name: string,
  description: string,
  work: (client: Session['client'], at: At, experiment: Experiment) => Promise<Answer>,
): void {
  withExperiment(verb.command(name))
    .description(description)
    .action((folder: string, options: Common) =>
      run(cli, folder, options, ({ client }, at, experiment) => work(client, at, experiment)),
    );
}

function run(
  cli: Cli,
  folder: string,
  options: Common,
  work: (session: Session, at: At, experiment: Experiment) => Promise<Answer>,
): Promise<void> {
  return cli.answer(() =>
    cli.withLibrary(folder, async (session) => {
      const { id: libraryId } = await session.library();
      const experiment = await session.experiment(libraryId, options.experiment);
      return work(session, { libraryId, experimentId: experiment.id }, experiment);
    }),
  );
}

function edit(cli: Cli, folder: string, options: EditOptions, make: () => PrototypeEdit): Promise<void> {
  return run(cli, folder, options, async ({ client }, at) => {
    const input = { ...at, edit: make() };
    const preview = await client.call('prototypes.preview', input);
    if (options.preview) return { json: { preview, experiment: null }, text: effect(preview) };
    const experiment = await client.call(options.keep ? 'prototypes.keep' : 'prototypes.edit', {
      ...input,
      // What is told is what is done: an edit that came between is refused.
      revision: preview.revision,
    });
    const done = options.keep
      ? `Kept as experiment ${experiment.id}.`
      : `Revision ${experiment.revision}; “archetone prototypes undo” goes back.`;
    return { json: { preview, experiment }, text: `${effect(preview)}\n\n${done}` };
  });
}

function described(prototypes: readonly PrototypeInfo[], { views }: Experiment): string {
  const viewOf = ({ view }: PrototypeInfo): string =>
    view === null ? '' : `${view} ${views?.views[view]?.space.packId ?? ''}`;
  return table<PrototypeInfo>(
    [
      { title: 'prototype', value: ({ index }) => String(index), align: 'right' },
      ...(views ? [{ title: 'view', value: viewOf }] : []),
      { title: 'class', value: (p) => p.class },
      { title: 'name', value: ({ name }) => name },
      { title: 'frozen', value: ({ frozen }) => (frozen ? 'yes' : '') },
      { title: 'support', value: ({ support }) => String(support), align: 'right' },
      { title: 'purity', value: ({ purity }) => (purity === null ? '–' : percent(purity)), align: 'right' },
      {
        title: 'weight',
        value: (p) => p.weight.toFixed(2),
        align: 'right',
      },
      { title: 'nearest', value: ({ nearest: [first] }) => first?.path ?? '' },
    ],
    prototypes,
  );
}

function history({ revisions, current, undo, redo }: RevisionLog): string {
  const share = (value: number | null): string => (value === null ? '–' : percent(value));
  const rows = table<RevisionInfo>(
    [
      { title: '', value: ({ revision }) => (revision === current ? '>' : '') },
      { title: 'revision', value: ({ revision }) => String(revision), align: 'right' },
      { title: 'accuracy', value: ({ accuracy }) => share(accuracy), align: 'right' },
      { title: 'balanced', value: ({ balancedAccuracy }) => share(balancedAccuracy), align: 'right' },
      { title: 'name', value: ({ name }) => name },
      { title: 'change', value: ({ change }) => change },
    ],
    revisions,
  );
  const steps = pairs([
    ['undo goes to', undo === null ? 'nothing' : `revision ${undo}`],
    ['redo goes to', redo === null ? 'nothing' : `revision ${redo}`],
  ]);
  return `${rows}\n\n${steps}`;
}

const arrow = ({ before, after }: Change): string => `${percent(before)} → ${percent(after)}`;

/** What an edit does, for people. */
function effect({
  change,
  split,
  accuracy,
  balancedAccuracy,
  perClass,
  flipped,
  flips,
}: EditPreview): string {
  const head = pairs([
    ['edit', change],
    [`accuracy (${split})`, arrow(accuracy)],
    ['balanced accuracy', arrow(balancedAccuracy)],
    ['predictions changed', String(flipped)],
    ...perClass.map((of) => [`F1 of ${of.class}`, arrow(of)] as [string, string]),
  ]);
  if (flips.length === 0) return head;
  const tracks = table<Flip>(
    [
      { title: 'track', value: ({ path }) => path },
      { title: 'before', value: ({ before }) => before.join('; ') || '–' },
      { title: 'after', value: ({ after }) => after.join('; ') || '–' },
      { title: 'becomes', value: ({ becomes }) => becomes ?? '' },
    ],
    flips,
  );
  return `${head}\n\n${tracks}${flips.length < flipped ? `\n… ${flipped - flips.length} more` : ''}`;
}
