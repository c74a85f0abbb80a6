import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeNpz } from '../../models/tensors/index.ts';
import type { EngineErrorData } from '../../engine/api/errors.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { embedFile, expandPaths, type FileEmbeddings } from '../../engine/classify/files.ts';
import { DecodePool, ffmpegDecoder } from '../../engine/decode/index.ts';
import { meanOfRows } from '../../models/embeddings/pooling.ts';
import { asEngineError } from '../../engine/packs/failures.ts';
import { PackService } from '../../engine/packs/service.ts';
import { decodeWorkers } from '../../engine/workers.ts';
import { exitCodes } from '../exit-codes.ts';
import { bytes, duration, pairs, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';
import { writeOutput } from '../write-output.ts';

const DECODE_LIMITS = { timeoutMs: 10 * 60_000, idleTimeoutMs: 30_000, memoryMb: 512 };

interface Embedded {
  path: string;
  embeddings: FileEmbeddings;
}
interface Failure {
  path: string;
  problem: EngineErrorData;
}

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
        const { done, failures, dim, packSha256 } = await embedAll(cli, files, options.pack);
        if (done.length === 0 && failures.length === 0)
          throw new EngineError(
            'empty-folder',
            'There are no audio files to embed.',
            'Name files or another folder.',
          );
        const [first] = failures;
        if (done.length === 0 && first) throw EngineError.fromData(first.problem);
        const out = resolve(options.out);
        const content = arrays(done, dim);
        await writeOutput(out, content);
        const seconds = (performance.now() - started) / 1000;
        const windows = done.reduce((sum, { embeddings }) => sum + embeddings.count, 0);
        const result = {
          file: out,
          pack: options.pack,
          packSha256,
          dim,
          tracks: done.length,
          windows,
          seconds,
          failures,
        };
        return {
          json: result,
          text: [
            pairs([
              ['file', `${out}, ${bytes(content.length)}`],
              ['tracks', String(done.length)],
              ['windows', `${windows} × ${dim} in ${duration(seconds)}`],
            ]),
            ...(first ? [describeFailures(failures)] : []),
          ].join('\n\n'),
          exitCode: exitCodes.ok,
        };
      }),
    );
};

async function embedAll(
  cli: Cli,
  files: readonly string[],
  packId: string,
): Promise<{ done: Embedded[]; failures: Failure[]; dim: number; packSha256: string }> {
  // Nothing of this is kept, so the engine's data folder is not needed either.
  const scratch = await mkdtemp(join(tmpdir(), 'archetone-embed-'));
  const { signal } = cli.interrupt;
  const packs = await PackService.open({ packFolders: cli.places.packFolders, dataFolder: scratch });
  const decode = new DecodePool({
    workerUrl: cli.places.decodeWorker,
    workers: decodeWorkers({}),
    limits: DECODE_LIMITS,
    external: ffmpegDecoder,
  });
  try {
    const runtime = await packs.runtime(packId);
    const paths = await expandPaths(files, signal);
    const done: Embedded[] = [];
    const failures: Failure[] = [];
    const started = performance.now();
    let [windows, seconds] = [0, 0];
    for (const [index, path] of paths.entries()) {
      try {
        const embeddings = await embedFile(decode, runtime, path, signal);
        done.push({ path, embeddings });
        windows += embeddings.count;
        seconds += embeddings.seconds;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asEngineError(thrown);
        if (error.code === 'pack') throw error;
        failures.push({ path, problem: error.toData() });
      }
      const elapsed = (performance.now() - started) / 1000;
      cli.progress.show('Embed', {
        done: index + 1,
        total: paths.length,
        unit: 'files',
        current: path,
        windows,
        failures: failures.length,
        audioSecondsPerSecond: seconds / elapsed,
        etaSeconds: (elapsed / (index + 1)) * (paths.length - index - 1),
      });
    }
    const { manifest, sha256 } = runtime.pack;
    return { done, failures, dim: manifest.embeddingDim, packSha256: sha256 };
  } finally {
    cli.progress.clear();
    await decode.close();
    await packs.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

function arrays(done: readonly Embedded[], dim: number): Uint8Array {
  const count = done.reduce((sum, { embeddings }) => sum + embeddings.count, 0);
  const z = new Float32Array(count * dim);
  const trackOf = new Int32Array(count);
  const start = new Float32Array(count);
  const means = new Float32Array(done.length * dim);
  let row = 0;
  done.forEach(({ embeddings }, track) => {
    z.set(embeddings.vectors, row * dim);
    start.set(embeddings.startSeconds, row);
    trackOf.fill(track, row, row + embeddings.count);
    means.set(meanOfRows(embeddings.vectors, dim), track * dim);
    row += embeddings.count;
  });
  return writeNpz({
    z: { dtype: 'float32', shape: [count, dim], data: z },
    track_of: { dtype: 'int32', shape: [count], data: trackOf },
    start_seconds: { dtype: 'float32', shape: [count], data: start },
    track_z: { dtype: 'float32', shape: [done.length, dim], data: means },
    paths: { dtype: 'text', shape: [done.length], data: done.map(({ path }) => path) },
  });
}

function describeFailures(failures: readonly Failure[]): string {
  return table<Failure>(
    [
      { title: 'file', value: ({ path }) => path },
      { title: 'problem', value: ({ problem }) => problem.message },
    ],
    failures,
  );
}
