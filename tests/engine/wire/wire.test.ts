import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, EngineError, serve } from '../../../engine/wire/index.ts';
import type { Connection, Port } from '../../../engine/wire/index.ts';
import { childPort } from '../../../engine/wire/transports/child-process.ts';
import { portPair } from '../../../engine/wire/transports/in-process.ts';
import { messagePort } from '../../../engine/wire/transports/message-port.ts';
import { workerPort } from '../../../engine/wire/transports/worker.ts';
import { echo, echoHandlers } from '../../fixtures/wire/echo.ts';
import { bundled } from '../../support/bundles.ts';

let worker: string;
let child: string;
const open: Connection<typeof echo>[] = [];
beforeAll(async () => {
  worker = await bundled('tests/fixtures/wire/echo-worker.ts');
  child = await bundled('tests/fixtures/wire/echo-child.ts');
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.close();
});

function channel(): [Port, Port, MessagePort] {
  const { port1, port2 } = new MessageChannel();
  return [messagePort(port1), messagePort(port2), port1];
}

function served([here, there]: readonly [Port, Port, ...unknown[]]): Connection<typeof echo> {
  serve(there, echo, echoHandlers());
  return connected(here);
}

function connected(port: Port): Connection<typeof echo> {
  const connection = connect(port, echo);
  open.push(connection);
  return connection;
}

const transports: [string, () => Connection<typeof echo>][] = [
  ['in process', () => served(portPair())],
  ['over a message port', () => served(channel())],
  ['to a worker thread', () => connected(workerPort(new Worker(worker, { execArgv: [] })))],
  [
    'to a child process',
    () => connected(childPort(fork(child, [], { execArgv: [], serialization: 'advanced' }))),
  ],
];

describe.each(transports)('the wire %s', (name, start) => {
  it('fills in defaults, and refuses what the schema refuses, naming the field', async () => {
    const client = start();
    expect(await client.call('echo', { deep: [new Map([[1, 2]])] })).toEqual({
      text: 'hello',
      deep: [new Map([[1, 2]])],
    });
    await expect(client.call('echo', { text: 'a'.repeat(11), deep: 0 })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('(text)') as string,
    });
  });

  it('carries typed errors with hint and detail, and wraps others', async () => {
    const client = start();
    const refused = client.call('refuse', {});
    await expect(refused).rejects.toBeInstanceOf(EngineError);
    await expect(refused).rejects.toMatchObject({
      code: 'not-found',
      hint: 'Look elsewhere.',
      detail: { line: 3 },
    });
    await expect(client.call('break', {})).rejects.toMatchObject({ code: 'internal', message: 'boom' });
  });

  it('cancels on both sides, and knows when the other side is idle', async () => {
    const client = start();
    const abort = new AbortController();
    const pending = client.call('wait', {}, { signal: abort.signal });
    await expect.poll(async () => (await client.call('state', {})).running).toBe(1);
    abort.abort();
    await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
    await client.idle();
    expect(await client.call('state', {})).toMatchObject({ running: 0, aborted: 1 });
    await expect(client.call('echo', { deep: 1 }, { signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('streams in order, to the end, a failure after what came before it', async () => {
    const client = start();
    const read: number[] = [];
    for await (const i of client.stream('count', { to: 50 })) read.push(i);
    expect(read).toEqual(Array.from({ length: 50 }, (_, i) => i));
    read.length = 0;
    const broken = async (): Promise<void> => {
      for await (const i of client.stream('count', { to: 50, failAt: 3 })) read.push(i);
    };
    await expect(broken()).rejects.toMatchObject({ code: 'audio', message: 'Damaged.' });
    expect(read).toEqual([0, 1, 2]);
  });

  it('makes no more than the reader has credit for, and ends when the reader leaves', async () => {
    const client = start();
    const numbers = client.stream('count', { to: 1000 })[Symbol.asyncIterator]();
    await numbers.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Four ahead, one of which was read.
    expect((await client.call('state', {})).made).toBe(5);
    await numbers.return?.();
    await client.idle();
    expect(await client.call('state', {})).toMatchObject({ made: 5, aborted: 1 });
    expect(await numbers.next()).toMatchObject({ done: true });
  });

  it('gives signs of life', async () => {
    let signs = 0;
    expect(await start().call('slow', {}, { onAlive: () => signs++ })).toBe('done');
    expect(signs).toBe(3);
  });

  it('checks answers that have a schema', async () => {
    const client = start();
    expect(await client.call('number', { as: 'number' })).toBe(1);
    await expect(client.call('number', { as: 'text' })).rejects.toMatchObject({ code: 'internal' });
  });

  it.skipIf(name === 'to a child process')('moves buffers both ways', async () => {
    const values = Float32Array.of(1, 2, 3);
    const doubled = await start().call('double', { values }, { transfer: [values.buffer] });
    expect(doubled).toEqual(Float32Array.of(2, 4, 6));
    if (name !== 'in process') expect(values.length).toBe(0);
  });

  it('keeps typed arrays', async () => {
    expect(await start().call('double', { values: Float32Array.of(-1) })).toEqual(Float32Array.of(-2));
  });

  it('holds a flood of calls to its bound, and answers the rest as busy', async () => {
    const client = start();
    await client.call('echo', { deep: 0 });
    const answers = await Promise.all(
      Array.from({ length: 20_000 }, () =>
        client.call('echo', { deep: 0 }).then(
          () => 'done',
          (error: unknown) => (error instanceof EngineError ? error.code : 'other'),
        ),
      ),
    );
    const count = (what: string): number => answers.filter((answer) => answer === what).length;
    expect(count('done') + count('busy')).toBe(20_000);
    expect(count('done')).toBeGreaterThanOrEqual(256);
    expect(await client.call('echo', { deep: 'after' })).toMatchObject({ deep: 'after' });
  });

  it('fails what is pending when the other side goes away', async () => {
    const client = start();
    const pending = client.call('wait', {});
    const outcome = expect(pending).rejects.toMatchObject({ code: 'internal' });
    await client.call('state', {});
    client.close();
    await outcome;
    await client.idle();
    await expect(client.call('state', {})).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('what cannot be sent or read', () => {
  it('fails the call alone', async () => {
    const client = served(channel());
    await expect(client.call('unsendable', {})).rejects.toMatchObject({ code: 'internal' });
    await expect(client.call('echo', { deep: () => undefined })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('cannot be sent') as string,
    });
    expect(await client.call('echo', { deep: 1 })).toMatchObject({ deep: 1 });
  });

  it('is answered when it has a number, ignored when it is none of the protocol', async () => {
    const [here, there, raw] = channel();
    serve(there, echo, echoHandlers());
    const replies: unknown[] = [];
    here.onMessage((message) => replies.push(message));
    raw.postMessage('hello');
    raw.postMessage({ type: 'hello', version: null });
    raw.postMessage({ type: 'call', id: 'x' });
    raw.postMessage({ type: 'elsewhere', id: 5 });
    raw.postMessage({ type: 'call', id: 1, method: '__proto__', input: {} });
    raw.postMessage({ type: 'call', id: 2, method: 'echo', credit: -1 });
    raw.postMessage({ type: 'call', id: 3, method: 'state', input: {} });
    await expect.poll(() => replies.length).toBe(4);
    expect(replies).toMatchObject([
      { type: 'hello' },
      { type: 'error', id: 1, error: { code: 'bad-input' } },
      { type: 'error', id: 2, error: { code: 'bad-input' } },
      { type: 'result', id: 3 },
    ]);
    here.close();
  });

  it('is answered by the number that it must have had', async () => {
    const [here, there] = portPair();
    const unreadable: { tell: () => void } = { tell: () => undefined };
    // A transport on whose way the second call, which is the third message, is damaged.
    let sent = 0;
    const damaging: Port = {
      ...here,
      post: (message) => (++sent === 3 ? queueMicrotask(() => unreadable.tell()) : here.post(message)),
    };
    serve({ ...there, onUnreadable: (handler) => (unreadable.tell = handler) }, echo, echoHandlers());
    const client = connected(damaging);
    const [first, second, third] = await Promise.allSettled([
      client.call('echo', { deep: 1 }),
      client.call('echo', { deep: 2 }),
      client.call('echo', { deep: 3 }),
    ]);
    expect([first.status, third.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(second).toMatchObject({ reason: { code: 'bad-input' } });
  });

  it('fails everything pending when it was an answer', async () => {
    const [here, there] = portPair();
    const unreadable: { tell: () => void } = { tell: () => undefined };
    serve(there, echo, echoHandlers());
    const client = connected({ ...here, onUnreadable: (handler) => (unreadable.tell = handler) });
    const pending = client.call('wait', {});
    unreadable.tell();
    await expect(pending).rejects.toMatchObject({ code: 'internal' });
    expect(await client.call('echo', { deep: 1 })).toMatchObject({ deep: 1 });
  });
});

describe('a port that was closed', () => {
  it('hears nothing that was still on its way: nobody could end what that began', async () => {
    const [here, there] = portPair();
    const heard: unknown[] = [];
    there.onMessage((message) => heard.push(message));
    here.post('before');
    await Promise.resolve();
    here.post('too late');
    here.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(['before']);
  });
});

describe('a worker that ends', () => {
  it('says how', async () => {
    const client = connected(workerPort(new Worker(worker, { execArgv: [] })));
    await expect(client.call('exit', {})).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('code 3') as string,
    });
  });
});
