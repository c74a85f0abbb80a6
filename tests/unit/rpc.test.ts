import { describe, expect, it } from 'vitest';
import type { EngineClient, Handlers } from '../../engine/api/contract.ts';
import { directClient } from '../../engine/api/dispatch.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { connect, serve } from '../../engine/api/rpc.ts';
import type { Port } from '../../engine/api/rpc.ts';

/** A node MessageChannel seen as the two ports of the protocol; structured clone is real. */
function ports(): { client: Port; server: Port; raw: MessagePort } {
  const channel = new MessageChannel();
  const wrap = (port: MessagePort): Port => ({
    post: (message) => port.postMessage(message),
    onMessage: (handler) => {
      port.addEventListener('message', (event) => handler(event.data));
      port.start();
    },
    onClose: (handler) => port.addEventListener('close', handler),
    close: () => port.close(),
  });
  return { client: wrap(channel.port1), server: wrap(channel.port2), raw: channel.port1 };
}

const seen: { aborted: boolean } = { aborted: false };

/** Only the methods the tests call; everything else answers that it is not there. */
const handlers = new Proxy({} as Handlers, {
  get: (_target, method) => {
    switch (method) {
      case 'libraries.get':
        return ({ libraryId }: { libraryId: string }) =>
          Promise.reject(new EngineError('not-found', `No library ${libraryId}.`, 'Open its folder again.'));
      case 'tracks.list':
        return (input: unknown) => Promise.resolve({ total: 0, tracks: [], echo: input });
      case 'tracks.peaks':
        return () =>
          Promise.resolve({ values: new Float32Array([-1, 1]), perSecond: 50, durationSeconds: 1 });
      case 'jobs.clear':
        return () => Promise.reject(new Error('boom'));
      case 'projection.compute':
        return async function* (_input: unknown, { signal }: { signal: AbortSignal }) {
          signal.addEventListener('abort', () => (seen.aborted = true));
          for (let done = 0; done < 1000; done++) {
            yield { type: 'progress', done, total: 1000 };
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        };
      default:
        return () => Promise.reject(new EngineError('internal', 'not under test'));
    }
  },
});

function overPort(): EngineClient {
  const { client, server } = ports();
  serve(server, handlers);
  return connect(client);
}

describe.each([
  ['over a port', overPort],
  ['in process', () => directClient(handlers)],
])('the engine API %s', (_name, client) => {
  it('fills in defaults before the handler sees the input', async () => {
    const page = await client().call('tracks.list', { libraryId: 'a' });
    expect(page).toMatchObject({ echo: { limit: 200, sort: 'path', filter: {} } });
  });

  it('refuses what the schema refuses, naming the field', async () => {
    await expect(client().call('tracks.list', { libraryId: '../etc' })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('libraryId') as string,
    });
  });

  it('carries typed errors with their hint, and wraps others', async () => {
    const failing = client().call('libraries.get', { libraryId: 'x' });
    await expect(failing).rejects.toBeInstanceOf(EngineError);
    await expect(failing).rejects.toMatchObject({ code: 'not-found', hint: 'Open its folder again.' });
    await expect(client().call('jobs.clear', {})).rejects.toMatchObject({
      code: 'internal',
      message: 'boom',
    });
  });

  it('keeps typed arrays', async () => {
    const peaks = await client().call('tracks.peaks', { libraryId: 'a', trackId: 'b' });
    expect(peaks?.values).toEqual(new Float32Array([-1, 1]));
  });
});

describe('streams over a port', () => {
  it('ends on the other side when the reader leaves early', async () => {
    seen.aborted = false;
    let count = 0;
    for await (const event of overPort().stream('projection.compute', { libraryId: 'a' })) {
      expect(event).toEqual({ type: 'progress', done: count, total: 1000 });
      if (++count === 3) break;
    }
    await expect.poll(() => seen.aborted).toBe(true);
  });

  it('is cancelled by its signal', async () => {
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const event of overPort().stream(
        'projection.compute',
        { libraryId: 'a' },
        { signal: abort.signal },
      ))
        if (event.type === 'progress' && event.done === 2) abort.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a port that carries nonsense or closes', () => {
  it('ignores messages that are none of the protocol and refuses unknown methods', async () => {
    const { client, server, raw } = ports();
    serve(server, handlers);
    const engine = connect(client);
    raw.postMessage('hello');
    raw.postMessage({ type: 'call', id: 'x' });
    raw.postMessage({ type: 'call', id: 9, method: '__proto__', input: {} });
    await expect(engine.call('tracks.list', { libraryId: 'a' })).resolves.toMatchObject({ total: 0 });
  });

  it('fails what is pending when the engine goes away', async () => {
    const { client, server } = ports();
    const engine = connect(client);
    const pending = engine.call('libraries.list', {});
    server.close();
    await expect(pending).rejects.toMatchObject({ code: 'engine-restarted' });
    await expect(engine.call('libraries.list', {})).rejects.toMatchObject({ code: 'engine-restarted' });
  });
});
