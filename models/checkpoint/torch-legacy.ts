import type { ByteSource } from './bytes.ts';
import type { Container, StoredRun } from './container.ts';
import { CheckpointError } from './errors.ts';
import { PickleCutOff } from './pickle-reader.ts';
import { unpickle, type Unpickled } from './unpickle.ts';
import { storedBytes, type PlainValue, type StoredDtype } from './values.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const FIRST_WINDOW = 1024 ** 2;
const MAX_INDEX_BYTES = 16 * 1024 ** 2;
const LENGTH_BYTES = 8;

/**
 * Reads the index of a legacy torch stream (torch 0.1.10–1.5): five pickles back to back, whose lengths nobody
 * wrote down, then each storage as its length and its elements.
 * @throws CheckpointError
 */
export async function readTorchLegacy(bytes: ByteSource): Promise<Container> {
  const { pickles, end } = await readPickles(bytes);
  const [magic, protocol, system, object, keys] = pickles;
  if (magic?.value !== MAGIC || protocol?.value !== PROTOCOL) throw broken('no PyTorch magic number', 0);
  const bigEndian = system?.value instanceof Map && system.value.get('little_endian') === false;
  return {
    kind: 'torch-legacy',
    tree: object?.value ?? null,
    refused: object?.refused ?? [],
    runs: await locateStorages(bytes, end, keys?.value ?? null, object?.storages ?? new Map(), bigEndian),
    bigEndian,
  };
}

/** Reads more of the file until all five pickles end inside what was read. */
async function readPickles(bytes: ByteSource): Promise<{ pickles: Unpickled[]; end: number }> {
  for (let window = FIRST_WINDOW; ; window *= 2) {
    const start = await bytes.read(0, Math.min(window, MAX_INDEX_BYTES));
    try {
      const pickles: Unpickled[] = [];
      for (let end = 0; pickles.length < 5;) {
        const pickle = unpickle(start, end);
        pickles.push(pickle);
        end = pickle.end;
      }
      return { pickles, end: pickles.at(-1)?.end ?? 0 };
    } catch (thrown) {
      if (!(thrown instanceof PickleCutOff)) throw thrown;
      if (start.length === bytes.size) throw cutOff(bytes.size);
      if (start.length >= MAX_INDEX_BYTES) throw broken('an index without end', start.length);
    }
  }
}

async function locateStorages(
  bytes: ByteSource,
  start: number,
  keys: PlainValue,
  types: ReadonlyMap<string, StoredDtype>,
  bigEndian: boolean,
): Promise<Map<string, StoredRun>> {
  if (!Array.isArray(keys)) throw broken('no list of storages', start);
  const runs = new Map<string, StoredRun>();
  let at = start;
  for (const key of keys) {
    if (typeof key !== 'string' || runs.has(key)) throw broken('a malformed list of storages', at);
    const type = types.get(key);
    if (type === undefined) throw broken(`a storage ${key} that no tensor uses`, at);
    const head = await bytes.read(at, LENGTH_BYTES);
    if (head.length < LENGTH_BYTES) throw cutOff(bytes.size);
    const count = new DataView(head.buffer).getBigInt64(0, !bigEndian);
    const length = Number(count) * storedBytes[type];
    const position = at + LENGTH_BYTES;
    if (count < 0n || !Number.isSafeInteger(length)) throw broken(`a storage of ${count} numbers`, at);
    if (position + length > bytes.size) throw cutOff(bytes.size);
    runs.set(key, { position, bytes: length });
    at = position + length;
  }
  return runs;
}

function cutOff(offset: number): CheckpointError {
  return new CheckpointError(
    'truncated',
    `the checkpoint ends at byte ${offset}, in the middle of its data`,
    'The download was cut off: get the file again.',
    { offset },
  );
}

function broken(what: string, offset: number): CheckpointError {
  return new CheckpointError(
    'malformed',
    `the checkpoint holds ${what} at byte ${offset}`,
    'The file is damaged or was not written by PyTorch: get it again from its publisher.',
    { offset },
  );
}
