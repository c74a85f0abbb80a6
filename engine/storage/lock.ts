import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { newId } from '../identifier.ts';
import { storageError } from './errors.ts';

const lockSchema = z.object({ token: z.string(), pid: z.int(), started: z.string().nullable() });
type LockContent = z.infer<typeof lockSchema>;

/** Tokens held by this process: its own id says nothing when an earlier process had the same one. */
const held = new Set<string>();

/** When a process began, where the system tells (Linux): tells a process from a later one with the same id. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name, may hold spaces and brackets: count from behind it. Field 22 is the start time.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive(content: LockContent): boolean {
  if (content.pid === process.pid) return held.has(content.token);
  try {
    process.kill(content.pid, 0);
  } catch (thrown) {
    // Not allowed to signal it means that it is there.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM')) return false;
  }
  return content.started === null || startOf(content.pid) === content.started;
}

function read(path: string): LockContent | null {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Gone, or cut short by a crash while it was written: stale.
    return null;
  }
}

function tryCreate(path: string, content: LockContent): boolean {
  try {
    const file = openSync(path, 'wx');
    try {
      writeSync(file, JSON.stringify(content));
    } finally {
      closeSync(file);
    }
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw storageError(thrown, path);
  }
}

/**
 * Makes this process the only one that works on a data folder. A lock left by a process that no longer lives is taken
 * over.
 * @returns releases the lock
 * @throws EngineError `library-busy`
 */
export function lockDataFolder(dataFolder: string): () => void {
  const path = join(dataFolder, 'engine.lock');
  try {
    mkdirSync(dataFolder, { recursive: true });
  } catch (thrown) {
    throw storageError(thrown, dataFolder);
  }
  const content: LockContent = { token: newId(), pid: process.pid, started: startOf(process.pid) };
  // Registered first: another engine of this process must see a living lock as soon as the file exists.
  held.add(content.token);
  for (let attempt = 0; attempt < 2; attempt++) {
    // Read back: of two processes that take over the same stale lock, only the last to write has it.
    if (tryCreate(path, content) && read(path)?.token === content.token) {
      return () => {
        held.delete(content.token);
        if (read(path)?.token === content.token) rmSync(path, { force: true });
      };
    }
    const other = read(path);
    if (other !== null && isAlive(other)) break;
    rmSync(path, { force: true });
  }
  held.delete(content.token);
  throw new EngineError(
    'library-busy',
    `Archetone already works in ${dataFolder} (process ${read(path)?.pid ?? 'unknown'}).`,
    'Close the other window or command, or give this one another data folder.',
  );
}
