import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { EngineError } from '../../api/errors.ts';

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Called as bytes arrive; `total` is 0 while the server has not said. */
  onProgress?: (done: number, total: number) => void;
  /** Pause before each new attempt, in milliseconds. */
  retryDelays?: readonly number[];
  /** A server that sends nothing for so long is given up. */
  stallMs?: number;
}

const RETRY_DELAYS = [1000, 3000, 10_000];
const STALL_MS = 30_000;
const OK = 200;
const PARTIAL = 206;
const RANGE_NOT_SATISFIABLE = 416;

/** What is known about a download that has begun; kept beside it. */
const noteSchema = z.object({ url: z.string(), etag: z.string().nullable(), total: z.number() });
type Note = z.output<typeof noteSchema>;

/** Worth another attempt: the connection broke, or the server is busy. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Downloads a file. What had arrived before an interruption, in this process or an earlier one, is kept as
 * `<path>.part` and not fetched again, as long as the server's file is still the same (If-Range).
 * @throws EngineError `unreadable` with what to do; the signal's reason
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const delays = options.retryDelays ?? RETRY_DELAYS;
  for (let attempt = 0; ; attempt++) {
    const before = await partSize(path);
    try {
      await attemptDownload(url, path, options);
      return;
    } catch (thrown) {
      options.signal?.throwIfAborted();
      if (!(thrown instanceof Interrupted)) throw thrown;
      // An attempt that brought something does not count.
      if ((await partSize(path)) > before) attempt = -1;
      const delay = delays[Math.max(0, attempt)];
      if (attempt >= delays.length || delay === undefined)
        throw new EngineError(
          'unreadable',
          `The download of ${url} was interrupted: ${thrown.message}.`,
          'Check the connection and try again: what has arrived is kept.',
          { cause: thrown },
        );
      await wait(delay, options.signal);
    }
  }
}

/** Removes what an interrupted download left. */
export async function forgetDownload(path: string): Promise<void> {
  await Promise.all([partOf(path), noteOf(path), path].map((file) => rm(file, { force: true })));
}

/**
 * Size of a file on a server, without fetching it; null where the server does not say.
 * @throws EngineError `unreadable`
 */
export async function remoteSize(url: string, signal?: AbortSignal): Promise<number | null> {
  const response = await request(url, { method: 'HEAD', headers: plain }, signal).catch((thrown: unknown) => {
    signal?.throwIfAborted();
    throw unreachable(url, thrown);
  });
  if (!response.ok) throw refused(url, response.status);
  const length = Number(response.headers.get('content-length') ?? NaN);
  return Number.isSafeInteger(length) && length > 0 ? length : null;
}

async function attemptDownload(url: string, path: string, options: DownloadOptions): Promise<void> {
  const { signal, onProgress = () => undefined, stallMs = STALL_MS } = options;
  const stall = new AbortController();
  const both = signal ? AbortSignal.any([signal, stall.signal]) : stall.signal;
  let timer = setTimeout(() => stall.abort(), stallMs);
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stall.abort(), stallMs);
  };
  try {
    const note = await readNote(url, path);
    const have = note === null ? 0 : await partSize(path);
    const headers = {
      ...plain,
      ...(have > 0 ? { range: `bytes=${have}-` } : {}),
      ...(have > 0 && note?.etag ? { 'if-range': note.etag } : {}),
    };
    const response = await request(url, { headers }, both);
    if (response.status === RANGE_NOT_SATISFIABLE) {
      await response.body?.cancel();
      if (have > 0 && have === note?.total) {
        await finish(path);
        return;
      }
      await forgetDownload(path);
      throw new Interrupted('the server has another file now');
    }
    if (response.status !== OK && response.status !== PARTIAL) {
      await response.body?.cancel();
      if (response.status >= 500 || response.status === 429)
        throw new Interrupted(`the server answered ${response.status}`);
      throw refused(url, response.status);
    }
    const from = response.status === PARTIAL ? have : 0;
    const length = Number(response.headers.get('content-length') ?? NaN);
    const total = Number.isSafeInteger(length) ? from + length : 0;
    // A weak tag does not promise equal bytes.
    const etag = response.headers.get('etag');
    const begun: Note = { url, etag: etag?.startsWith('W/') === true ? null : etag, total };
    await writeFile(noteOf(path), JSON.stringify(begun));
    const size = await append(response, partOf(path), from, (done) => {
      restart();
      onProgress(done, total);
    });
    if (total > 0 && size !== total) throw new Interrupted(`${size} of ${total} bytes arrived`);
    await finish(path);
  } catch (thrown) {
    if (thrown instanceof EngineError || thrown instanceof Interrupted) throw thrown;
    signal?.throwIfAborted();
    if (isFileError(thrown)) throw thrown;
    throw new Interrupted(stall.signal.aborted ? 'the server sent nothing any more' : messageOf(thrown), {
      cause: thrown,
    });
  } finally {
    clearTimeout(timer);
  }
}

const plain = { 'accept-encoding': 'identity' };

function request(url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  return fetch(url, { ...init, redirect: 'follow', ...(signal ? { signal } : {}) });
}

async function append(
  response: Response,
  part: string,
  from: number,
  onBytes: (done: number) => void,
): Promise<number> {
  const file = await open(part, from > 0 ? 'r+' : 'w');
  let done = from;
  try {
    for await (const chunk of response.body ?? []) {
      await file.write(chunk as Uint8Array, 0, undefined, done);
      done += (chunk as Uint8Array).length;
      onBytes(done);
    }
    await file.datasync();
    return done;
  } finally {
    await file.close();
  }
}

async function finish(path: string): Promise<void> {
  await rename(partOf(path), path);
  await rm(noteOf(path), { force: true });
}

async function readNote(url: string, path: string): Promise<Note | null> {
  try {
    const note = noteSchema.parse(JSON.parse(await readFile(noteOf(path), 'utf8')));
    // Without a tag nothing tells whether the rest belongs to the same file.
    return note.url === url && note.etag !== null ? note : null;
  } catch {
    return null;
  }
}

async function partSize(path: string): Promise<number> {
  return (await stat(partOf(path)).catch(() => null))?.size ?? 0;
}

const partOf = (path: string): string => `${path}.part`;
const noteOf = (path: string): string => `${path}.part.json`;

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException('The download was cancelled.', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

function refused(url: string, status: number): EngineError {
  const [what, hint] =
    status === 404
      ? [
          'There is no file at',
          'The publisher may have moved it: look at the page of the model, and add the files from disk.',
        ]
      : status === 401 || status === 403
        ? [
            'You may not download',
            'Open the page of the model in a browser, accept its terms there, and add the files from disk.',
          ]
        : [
            `The server answered ${status} for`,
            'Try again later, or download in a browser and add the files from disk.',
          ];
  return new EngineError('unreadable', `${what} ${url}.`, hint);
}

function unreachable(url: string, cause: unknown): EngineError {
  return new EngineError(
    'unreadable',
    `${new URL(url).host} cannot be reached.`,
    'Check the connection; or download the files on another machine and add them from disk.',
    { cause },
  );
}

/** Errors of the disk have a code such as ENOSPC; those of the network are wrapped by fetch. */
function isFileError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown && 'path' in thrown;
}

function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}
