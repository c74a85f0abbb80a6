import { basename, resolve } from 'node:path';
import { meanOfRows } from '../../models/embeddings/pooling.ts';
import { writeNpz } from '../../models/tensors/index.ts';
import type { EmbeddedFiles, EmbedEvent } from '../api/embed.ts';
import type { ParsedInput } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { isAudioName } from '../files/scan.ts';
import { writeWhole } from '../files/write-whole.ts';
import { asEngineError } from '../packs/failures.ts';
import { embedFile, expandPaths, type FileEmbeddings } from './files.ts';

interface Embedded {
  path: string;
  embeddings: FileEmbeddings;
}

/**
 * Writes the embeddings of files. A file that cannot be used is listed with its reason; the others go on.
 * @throws EngineError `not-found`, `pack`, `disk-full`; `empty-folder` without a file; `bad-input` when the file cannot be
 * written, or might be music; the reason of the first file when none can be used; the signal's reason
 */
export async function* embedFiles(
  context: EngineContext,
  { packId, paths, file }: ParsedInput<'embed.files'>,
  signal: AbortSignal,
): AsyncGenerator<EmbedEvent, void> {
  if (isAudioName(basename(file))) throw notOverMusic(file);
  const runtime = await context.packs.runtime(packId);
  const { files: all, problems } = await expandPaths(paths, signal);
  if (all.includes(resolve(file))) throw notOverMusic(file);
  const done: Embedded[] = [];
  const failures: EmbeddedFiles['failures'] = problems.map(({ path, error }) => ({
    path,
    problem: error.toData(),
  }));
  const started = performance.now();
  let [windows, seconds] = [0, 0];
  for (const [index, path] of all.entries()) {
    try {
      const embeddings = await embedFile(context.readers, runtime, path, signal);
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
    const progress = {
      ...({ done: index + 1, total: all.length, unit: 'files', current: path } as const),
      ...{ windows, failures: failures.length, audioSecondsPerSecond: seconds / elapsed },
      etaSeconds: (elapsed / (index + 1)) * (all.length - index - 1),
    };
    yield { type: 'progress', progress };
  }
  const [first] = failures;
  if (done.length === 0 && first) throw EngineError.fromData(first.problem);
  if (done.length === 0)
    throw new EngineError(
      'empty-folder',
      'There are no audio files to embed.',
      'Name files or another folder.',
    );
  const { manifest, sha256 } = runtime.pack;
  const dim = manifest.embeddingDim;
  const content = arrays(done, windows, dim);
  await write(file, content);
  const facts = { file, bytes: content.length, packSha256: sha256, dim, tracks: done.length };
  const damaged = done.flatMap(({ path, embeddings: { note } }) => (note === null ? [] : [{ path, note }]));
  yield { type: 'done', result: { ...facts, windows, failures, damaged } };
}

function arrays(done: readonly Embedded[], count: number, dim: number): Uint8Array {
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

/** An option that takes the next file for its value would put numbers in the place of a song. */
function notOverMusic(file: string): EngineError {
  return new EngineError(
    'bad-input',
    `${file} is music, or is called like it; nothing is written over music.`,
    'Name a file for the embeddings that ends in .npz.',
  );
}

async function write(file: string, content: Uint8Array): Promise<void> {
  try {
    await writeWhole(file, content);
  } catch (thrown) {
    const error = asEngineError(thrown);
    if (error.code !== 'internal') throw error;
    throw new EngineError('bad-input', `${file} cannot be written.`, 'Name another place.', {
      cause: thrown,
    });
  }
}
