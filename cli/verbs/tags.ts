import { resolve } from 'node:path';
import type { Taggram } from '../../engine/api/tags.ts';
import { EngineError, type EngineErrorData } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { exitCodes } from '../exit-codes.ts';
import { number, wholeNumber } from '../options.ts';
import { damage, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';

interface TagsOptions {
  pack: string;
  head?: string;
  top: number;
  overTime?: boolean;
  library?: string;
  taxonomy?: string;
  labels?: string;
  threshold: number;
}

interface TaggedFile {
  path: string;
  seconds: number;
  /** The strongest, by their means over the patches. */
  tags: { tag: string; mean: number }[];
  /** Of each patch, in the order of `tags`. */
  overTime?: { startSeconds: number; values: number[] }[];
  note: string | null;
}

/** Adds `archetone tags`. */
export const tagsVerb: AddVerb = (program, cli) => {
  program
    .command('tags')
    .description(
      'Say what a pack with tags, or a head of a pack, hears in files: the means of its predictions over all patches.',
    )
    .argument('[files...]', 'audio files or folders')
    .requiredOption('--pack <id>', 'pack with tags, or with heads')
    .option('--head <id>', 'head of the pack that tags; default: the network of the pack itself')
    .option('--top <n>', 'how many tags of a file are shown, or become labels', wholeNumber(1, 10_000), 5)
    .option('--over-time', 'also what each patch is said to be (with --json)')
    .option(
      '--library <dir>',
      'in place of files, all tracks of a library: what is heard is kept, for columns and searches; what is kept is not heard again',
    )
    .option('--taxonomy <name>', 'with --library: also a taxonomy, of the tags that reach the threshold')
    .option('--labels <file.csv>', 'write a label file, from which a taxonomy can be made')
    .option('--threshold <p>', 'a tag is a label from this mean on', number(0, 1), 0.5)
    .addHelpText(
      'after',
      `
Examples:
  archetone tags song.mp3 --pack msd-musicnn
  archetone tags song.mp3 --pack discogs-effnet-bsdynamic --head danceability
  archetone tags ~/Music --pack discogs-effnet-bsdynamic --labels tags.csv --threshold 0.3
  archetone taxonomies add csv:tags.csv --library ~/Music
  archetone tags --library ~/archetone-music --pack msd-musicnn
  archetone tracks --library ~/archetone-music 'tag:guitar>0.6' --tag guitar --sort tag --descending`,
    )
    .action((files: string[], options: TagsOptions) => cli.answer(() => tag(cli, files, options)));
};

async function tag(cli: Cli, files: readonly string[], options: TagsOptions) {
  const { library, taxonomy, labels, overTime } = options;
  const wrong = [
    library === undefined && files.length === 0 ? 'Neither files nor a library are named.' : '',
    library !== undefined && files.length > 0 ? 'Files and a library are named.' : '',
    library === undefined && taxonomy !== undefined ? 'A taxonomy is of a library.' : '',
    library !== undefined && labels !== undefined ? 'A label file is of files.' : '',
    library !== undefined && overTime === true ? 'What each patch is said to be is of files.' : '',
  ].find((problem) => problem !== '');
  if (wrong !== undefined)
    throw new EngineError('bad-input', wrong, 'Name files, or --library with the folder of its data.');
  return library === undefined ? tagAll(cli, files, options) : tagTracks(cli, library, options);
}

async function tagTracks(cli: Cli, folder: string, options: TagsOptions) {
  const { pack: packId, head: headId = null, top, threshold, taxonomy } = options;
  return cli.withLibrary(folder, async (session) => {
    const { id: libraryId } = await session.library();
    const asked = taxonomy === undefined ? { taxonomy: false } : { name: taxonomy };
    const spec = { libraryId, packId, headId, threshold, most: top, ...asked };
    const result = await session.run('tag-library', (client) => client.call('tags.library', spec));
    const { taxonomyId, tracks, labelled, failed } = result;
    const text = [
      `${counted(tracks, 'track')} heard`,
      failed > 0 ? `, ${failed} cannot be` : '',
      taxonomyId === null ? '' : `; with a label: ${labelled}`,
    ];
    return { json: result, text: text.join(''), exitCode: exitCodes.ok };
  });
}

async function tagAll(cli: Cli, files: readonly string[], options: TagsOptions) {
  const { pack: packId, head: headId = null, top, threshold, overTime = false } = options;
  const tagged: TaggedFile[] = [];
  const failures: { path: string; problem: EngineErrorData }[] = [];
  let labels: { file: string; labelled: number } | null = null;
  const request = {
    packId,
    headId,
    paths: files.map((path) => resolve(path)),
    ...(options.labels === undefined
      ? {}
      : { labels: { file: resolve(options.labels), threshold, most: top } }),
  };
  try {
    await cli.withoutLibrary(async ({ client }) => {
      for await (const event of client.stream('tags.files', request, { signal: cli.interrupt.signal })) {
        if (event.type === 'file') tagged.push(describe(event.path, event.taggram, top, overTime));
        else if (event.type === 'failure') failures.push({ path: event.path, problem: event.problem });
        else if (event.type === 'done') labels = event.labels;
        else cli.progress.show('Tag', event.progress);
      }
    });
  } finally {
    cli.progress.clear();
  }
  return {
    json: { pack: packId, head: headId, files: tagged, failures, labels },
    text: asText(tagged, failures, labels),
    exitCode: exitCodes.ok,
  };
}

function describe(path: string, taggram: Taggram, top: number, overTime: boolean): TaggedFile {
  const { classes, means, values, startSeconds, seconds, note } = taggram;
  const order = classes
    .map((_, i) => i)
    .sort((a, b) => (means[b] ?? 0) - (means[a] ?? 0))
    .slice(0, top);
  return {
    ...{ path, seconds, note },
    tags: order.map((i) => ({ tag: classes[i] ?? '', mean: means[i] ?? 0 })),
    ...(overTime
      ? {
          overTime: Array.from(startSeconds, (start, patch) => ({
            startSeconds: start,
            values: order.map((i) => values[patch * classes.length + i] ?? 0),
          })),
        }
      : {}),
  };
}

function asText(
  files: readonly TaggedFile[],
  failures: readonly { path: string; problem: EngineErrorData }[],
  labels: { file: string; labelled: number } | null,
): string {
  const rows = [
    ...files.map(({ path, tags, note }) => ({
      path,
      what: [...tags.map(({ tag, mean }) => `${tag} ${mean.toFixed(2)}`), damage(note)]
        .filter(Boolean)
        .join(', '),
    })),
    ...failures.map(({ path, problem }) => ({ path, what: problem.message })),
  ];
  return [
    table(
      [
        { title: 'file', value: ({ path }: (typeof rows)[number]) => path },
        { title: 'tags', value: ({ what }) => what },
      ],
      rows,
    ),
    ...(labels === null
      ? []
      : [`${labels.file}: ${labels.labelled} of ${counted(files.length, 'file')} with a label`]),
  ].join('\n\n');
}
