import { resolve } from 'node:path';
import type { EmbeddedFiles } from '../../engine/api/embed.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { bytes, damage, duration, pairs, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';

export const embedVerb: AddVerb = (program, cli) => {
  program
    .command('embed')
    .description(
      'Write the embeddings of files, one vector per window and one per track, as an .npz (no pickle).',
    )
    .argument('<files...>', 'audio files or folders')
    .option('--pack <id>', 'pack that makes the embeddings', 'compact')
    .requiredOption('--out <file.npz>', 'file to write')
    .addHelpText(
      'after',
      `
Arrays: z float32[windows, D], track_of int32[windows], start_seconds float32[windows],
track_z float32[tracks, D] (means over windows), paths text[tracks].

Examples:
  archetone embed song.mp3 other.flac --out z.npz
  archetone embed ~/Music --pack compact --out music.npz --json`,
    )
    .action((files: string[], options: { pack: string; out: string }) =>
      cli.answer(async () => {
        const started = performance.now();
        const { bytes: size, ...embedded } = await embedAll(
          cli,
          files.map((path) => resolve(path)),
          options.pack,
          resolve(options.out),
        );
        const { file, dim, tracks, windows, failures, damaged } = embedded;
        const seconds = (performance.now() - started) / 1000;
        const result = { pack: options.pack, ...embedded, seconds };
        return {
          json: result,
          text: [
            pairs([
              ['file', `${file}, ${bytes(size)}`],
              ['tracks', String(tracks)],
              ['windows', `${windows} × ${dim} in ${duration(seconds)}`],
            ]),
            ...(failures.length + damaged.length > 0 ? [describeProblems(failures, damaged)] : []),
          ].join('\n\n'),
          exitCode: exitCodes.ok,
        };
      }),
    );
};

async function embedAll(cli: Cli, paths: string[], packId: string, file: string): Promise<EmbeddedFiles> {
  const { signal } = cli.interrupt;
  try {
    return await cli.withoutLibrary(async ({ client }) => {
      for await (const event of client.stream('embed.files', { packId, paths, file }, { signal })) {
        if (event.type === 'done') return event.result;
        cli.progress.show('Embed', event.progress);
      }
      throw new EngineError('internal', 'Embedding ended without a result.');
    });
  } finally {
    cli.progress.clear();
  }
}

function describeProblems(failures: EmbeddedFiles['failures'], damaged: EmbeddedFiles['damaged']): string {
  const rows = [
    ...failures.map(({ path, problem }) => ({ path, what: problem.message })),
    ...damaged.map(({ path, note }) => ({ path, what: damage(note) })),
  ];
  return table(
    [
      { title: 'file', value: ({ path }: (typeof rows)[number]) => path },
      { title: 'problem', value: ({ what }) => what },
    ],
    rows,
  );
}
