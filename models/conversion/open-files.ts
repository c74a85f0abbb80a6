import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { detectModel } from '../backbones/registry.ts';
import {
  CheckpointError,
  checkpointSource,
  openCheckpoint,
  tensorSource,
  type Checkpoint,
  type TensorSource,
} from '../checkpoint/index.ts';
import { MAX_GIN_BYTES, parseGin, type GinConfig } from '../checkpoint/gin.ts';
import { named } from './named.ts';
import type { RecognisedModel } from './plan.ts';

/** Checkpoint files that are open and recognised. */
export interface OpenFiles {
  models: RecognisedModel[];
  /** The configuration that was given, or lies beside a file as `config.gin`. */
  config: GinConfig | null;
  /** What the user should know about the files. */
  notes: string[];
  close: () => Promise<void>;
}

/**
 * Opens checkpoints and a configuration (`.gin`), and tells what each is. Without a `.gin` among them, the
 * `config.gin` beside a checkpoint is read, which is how they are published.
 * @param signal stops every later read of a tensor
 * @throws CheckpointError naming the file
 */
export async function openFiles(paths: readonly string[], signal?: AbortSignal): Promise<OpenFiles> {
  const gins = paths.filter((path) => extname(path).toLowerCase() === '.gin');
  const weights = paths.filter((path) => !gins.includes(path));
  if (weights.length === 0) throw nothingToRead();
  const opened: Checkpoint[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((file) => file.close()));
  };
  const notes: string[] = [];
  try {
    const models: RecognisedModel[] = [];
    for (const path of weights) {
      const name = basename(path);
      const checkpoint = await named(name, () => openCheckpoint(path));
      opened.push(checkpoint);
      const { refused } = checkpoint;
      const foreign = refused.map(({ global, offset }) => `${global} (byte ${offset})`).join(', ');
      const warning = `It also asks to run ${foreign}; nothing of that was run.`;
      try {
        models.push({
          name,
          ...detectModel(stoppable(checkpointSource(checkpoint), signal), name),
          config: innerConfig(checkpoint, name),
        });
      } catch (thrown) {
        if (!(thrown instanceof CheckpointError) || refused.length === 0) throw thrown;
        throw new CheckpointError(thrown.code, `${thrown.message}. ${warning.slice(0, -1)}`, thrown.hint, {
          ...refused[0],
          cause: thrown,
        });
      }
      if (refused.length > 0) notes.push(`${name} holds more than weights. ${warning}`);
    }
    const beside = gins.length > 0 ? gins : await ginsBeside(weights);
    return { models, config: await readGins(beside), notes, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** EnCodecMAE v2 keeps its configuration in the checkpoint. */
function innerConfig({ tree }: Checkpoint, name: string): GinConfig | null {
  const config = tree instanceof Map ? tree.get('config') : undefined;
  if (typeof config !== 'string') return null;
  try {
    return parseGin(config);
  } catch (thrown) {
    if (!(thrown instanceof CheckpointError)) throw thrown;
    throw new CheckpointError(thrown.code, `${name}: ${thrown.message}`, thrown.hint, { cause: thrown });
  }
}

async function ginsBeside(weights: readonly string[]): Promise<string[]> {
  const candidates = [...new Set(weights.map((path) => join(dirname(path), 'config.gin')))];
  const found: string[] = [];
  for (const path of candidates) {
    const info = await stat(path).catch(() => null);
    if (info?.isFile()) found.push(path);
  }
  return found;
}

async function readGins(paths: readonly string[]): Promise<GinConfig | null> {
  const configs: GinConfig[] = [];
  for (const path of paths)
    configs.push(
      await named(basename(path), async () => {
        const info = await stat(path).catch((cause: unknown) => {
          throw new CheckpointError('io', 'the file cannot be read', 'Check the path.', { cause });
        });
        // Reading a pipe would wait for ever.
        if (!info.isFile()) throw new CheckpointError('io', 'it is not a file', 'Check the path.');
        if (info.size > MAX_GIN_BYTES) return parseGin(' '.repeat(MAX_GIN_BYTES + 1));
        return parseGin(await readFile(path, 'utf8'));
      }),
    );
  if (configs.length === 0) return null;
  return {
    macro: (name) => firstOf(configs, (config) => config.macro(name)),
    binding: (configurable, parameter) =>
      firstOf(configs, (config) => config.binding(configurable, parameter)),
  };
}

function firstOf<T, R>(items: readonly T[], read: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const value = read(item);
    if (value !== undefined) return value;
  }
  return undefined;
}

function stoppable(source: TensorSource, signal: AbortSignal | undefined): TensorSource {
  return tensorSource({
    ...source,
    read: (name) => {
      signal?.throwIfAborted();
      return source.read(name);
    },
  });
}

function nothingToRead(): CheckpointError {
  return new CheckpointError(
    'not-a-checkpoint',
    'no checkpoint was named',
    'Name the weights of the model: a .pt, .th, .ckpt or .safetensors file.',
  );
}
