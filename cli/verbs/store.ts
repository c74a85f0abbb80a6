import type { StoreAnswer } from '../../engine/api/stores.ts';
import { metrics } from '../../engine/api/neighbours.ts';
import { counted } from '../../engine/counted.ts';
import { storeSettings } from '../../engine/stores/settings.ts';
import { wholeNumber } from '../options.ts';
import { requireLibraryFolder } from '../library-folder.ts';
import type { Session } from '../session.ts';
import { table } from '../text.ts';
import type { AddVerb, Answer } from '../verb.ts';
import { requireExisting } from './classify.ts';

interface Options {
  library: string;
  store: string;
  tlsCa?: string;
}

const ADDRESS =
  'qdrant://host:6333/collection or postgres://user@host:5432/database/table; the key or password stands in ARCHETONE_STORE_KEY';
const TLS_CA: [string, string] = [
  '--tls-ca <file>',
  'certificate that vouches for a PostgreSQL server (PEM)',
];

export const storeVerb: AddVerb = (program, cli) => {
  const group = program
    .command('store')
    .description('Put the windows of a library into a vector store that you run, and search it.');
  const within = (
    { library, store, tlsCa }: Options,
    work: (session: Session) => Promise<Answer>,
  ): Promise<void> =>
    cli.answer(async () => {
      const settings = storeSettings(store, { key: process.env['ARCHETONE_STORE_KEY'], tlsCa });
      requireLibraryFolder(library);
      return cli.withSession(library, work, { store: settings });
    });

  group
    .command('fill')
    .description(
      "Put all windows of a library into a store, in the place of the library's own that are there.",
    )
    .requiredOption('--library <dir>', "folder with the library's data")
    .requiredOption('--store <address>', ADDRESS)
    .option(...TLS_CA)
    .addOption(
      program
        .createOption('--metric <metric>', 'how a new collection compares vectors')
        .choices(metrics)
        .default('cosine'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  archetone store fill --library ~/archetone-music --store postgres://anna@localhost/sounds/windows',
    )
    .action(({ metric, ...options }: Options & { metric: (typeof metrics)[number] }) =>
      within(options, async (session) => {
        const { id: libraryId } = await session.library();
        let filled = { done: 0, total: 0 };
        const filling = session.client.stream(
          'stores.fill',
          { libraryId, metric },
          { signal: session.signal },
        );
        let told = 0;
        let whole = false;
        for await (filled of filling) {
          const percent = Math.floor((100 * filled.done) / filled.total);
          if (percent >= told + 5) cli.say(`${filled.done} of ${counted(filled.total, 'window')}`);
          if (percent >= told + 5) told = percent;
          // Making its index may take it minutes.
          if (filled.done === filled.total && !whole)
            cli.say('All windows are there; the store deletes what is old and makes its index.');
          whole ||= filled.done === filled.total;
        }
        return { json: { windows: filled.total }, text: `In the store: ${counted(filled.total, 'window')}.` };
      }),
    );

  group
    .command('search')
    .description('Find the windows in a store that are nearest to a file, of all libraries that are in it.')
    .argument('<file>', 'audio file; it need not be in the library')
    .requiredOption('--library <dir>', 'library whose pack the file is heard with')
    .requiredOption('--store <address>', ADDRESS)
    .option(...TLS_CA)
    .option('-k <n>', 'how many', wholeNumber(1, 1000), 10)
    .option('--exact', 'the store compares every vector, in place of its index')
    .option(
      '--check',
      "hold the answer against an exact search of the library, among the library's own windows",
    )
    .addHelpText(
      'after',
      '\nExample:\n  archetone store search song.mp3 --library ~/archetone-music --store qdrant://localhost/music --check',
    )
    .action((file: string, options: Options & { k: number; exact?: boolean; check?: boolean }) =>
      within(options, async (session) => {
        const path = requireExisting(file);
        const { id: libraryId } = await session.library();
        const { k, exact = false, check = false } = options;
        const found = await session.client.call(
          'stores.search',
          { libraryId, of: { kind: 'file', path }, k, exact, check },
          { signal: session.signal },
        );
        return { json: found, text: describe(found) };
      }),
    );
};

function describe({ windows, compared, metric, recall }: StoreAnswer): string {
  const rows = table<StoreAnswer['windows'][number]>(
    [
      { title: `${metric} distance`, value: (n) => n.distance.toFixed(4), align: 'right' },
      { title: 'from', value: (n) => `${n.startSeconds.toFixed(1)} s`, align: 'right' },
      { title: 'track', value: (n) => n.title },
      { title: 'path', value: (n) => n.path },
      { title: 'library', value: (n) => n.libraryId },
    ],
    windows,
  );
  const checked = recall === null ? '' : `; ${(100 * recall).toFixed(1)} % of what an exact search finds`;
  return `${rows}\n\nof ${counted(compared, 'window')} in the store${checked}`;
}
