import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { EngineError } from '../api/errors.ts';
import { saidWithout } from './said.ts';

/** A server that says nothing for so long is gone. */
const TIMEOUT_MS = 60_000;
/** Of an answer; a thousand neighbours are some hundred kilobytes. */
const MOST_BYTES = 16 * 2 ** 20;
/** A server that is busy, or begins anew, is asked so often. */
const ATTEMPTS = 4;
const PAUSE_MS = 250;

export interface Server {
  origin: string;
  /** Sent along, and never told to anybody else. */
  key: string | null;
  timeoutMs?: number;
  pauseMs?: number;
}

export interface Question<T> {
  method: 'GET' | 'PUT' | 'POST';
  path: string;
  body?: unknown;
  /** What `result` of the answer must be. */
  result: z.ZodType<T>;
  signal: AbortSignal;
}

const saidSchema = z.object({ status: z.object({ error: z.string() }) });

/**
 * Asks a server one thing and reads its answer as far as it is one.
 * @returns null for what is not there
 * @throws EngineError `store`; the signal's reason
 */
export async function askServer<T>(server: Server, question: Question<T>): Promise<T | null> {
  for (let attempt = 1; ; attempt++) {
    const { status, text } = await once(server, question);
    if (status === 404) return null;
    if (status === 200) return resultOf(server, question, text);
    if (status === 401 || status === 403)
      throw new EngineError(
        'store',
        server.key === null
          ? `The vector store at ${server.origin} lets nobody in without a key.`
          : `The vector store at ${server.origin} does not let this key in.`,
        'Set ARCHETONE_STORE_KEY to a key that it knows.',
      );
    const again = status === 429 || status >= 500;
    if (!again || attempt === ATTEMPTS)
      throw new EngineError(
        'store',
        `The vector store at ${server.origin} refused what it was asked (${status}): ${said(server, text)}.`,
        again ? 'It may be too busy: try again later.' : 'Its log may say more.',
      );
    await sleep((server.pauseMs ?? PAUSE_MS) * 2 ** attempt, undefined, { signal: question.signal });
  }
}

async function once<T>(
  { origin, key, timeoutMs = TIMEOUT_MS }: Server,
  { method, path, body, signal }: Question<T>,
): Promise<{ status: number; text: string }> {
  signal.throwIfAborted();
  try {
    const response = await fetch(`${origin}${path}`, {
      method,
      // What lets one in is for this server, not for one that it names.
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        ...(key === null ? {} : { 'api-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return { status: response.status, text: await boundedText(response, origin) };
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof EngineError) throw thrown;
    throw new EngineError(
      'store',
      `The vector store at ${origin} cannot be reached.`,
      'Check its address, that it runs, and that its certificate is one that this machine trusts.',
      { cause: thrown },
    );
  }
}

async function boundedText(response: Response, origin: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (response.body)
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      if (bytes > MOST_BYTES)
        throw new EngineError('store', `The vector store at ${origin} answered more than was asked for.`);
      pieces.push(piece);
    }
  return Buffer.concat(pieces).toString('utf8');
}

function resultOf<T>({ origin }: Server, { result }: Question<T>, text: string): T {
  try {
    return z.object({ result }).parse(JSON.parse(text)).result;
  } catch (thrown) {
    throw new EngineError(
      'store',
      `The vector store at ${origin} answered what it should not.`,
      'Check that it is a Qdrant server of version 1.10 or later.',
      { cause: thrown },
    );
  }
}

/** In its own words, on one line, without what lets one in. */
function said({ key }: Server, text: string): string {
  let words: string;
  try {
    words = saidSchema.parse(JSON.parse(text)).status.error;
  } catch {
    words = 'it does not say why';
  }
  return saidWithout(key, words);
}
