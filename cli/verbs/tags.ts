import { resolve } from 'node:path';
import type { Taggram } from '../../engine/api/tags.ts';
import type { EngineErrorData } from '../../engine/api/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { number, wholeNumber } from '../options.ts';
import { damage, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';

interface TagsOptions {
  pack: string;
  head?: string;
  top: number;
  overTime?: boolean;
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
    .argument('<files...>', 'audio files or folders')
    .requiredOption('--pack <id>', 'pack with tags, or with heads')
    .option('--head <id>', 'head of the pack that tags; default: the network of the pack itself')
    .option('--top <n>', 'how many tags of a file are shown, or become labels', wholeNumber(1, 10_000), 5)
    .option('--over-time', 'also what each patch is said to be (with --json)')
    .option('--labels <file.csv>', 'write a label file, from which a taxonomy can be made')
    .option('--threshold <p>', 'a tag is a label from this mean on', number(0, 1), 0.5)
    .addHelpText(
      'after',
      `
Examples:
  archetone tags song.mp3 --pack msd-musicnn
  archetone tags song.mp3 --pack discogs-effnet-bsdynamic --head danceability
  archetone tags ~/Music --pack discogs-effnet-bsdynamic --labels tags.csv --threshold 0.3
  archetone taxonomies add csv:tags.csv --library ~/Music`,
    )
    .action((files: string[], options: TagsOptions) => cli.answer(() => tagAll(cli, files, options)));
};

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
    ...(labels === null ? [] : [`${labels.file}: ${labels.labelled} of ${files.length} files have a label`]),
  ].join('\n\n');
}
