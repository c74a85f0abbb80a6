import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { connect, serve } from '../../../engine/wire/index.ts';
import type { Port } from '../../../engine/wire/index.ts';
import { childPort } from '../../../engine/wire/transports/child-process.ts';
import { portPair } from '../../../engine/wire/transports/in-process.ts';
import { workerPort } from '../../../engine/wire/transports/worker.ts';
import { echo, echoHandlers } from '../../fixtures/wire/echo.ts';
import { bundled } from '../../support/bundles.ts';

// As the build does it; read when the wire is first imported.
vi.hoisted(() => Object.assign(globalThis, { __ARCHETONE_VERSION__: '2.0.0' }));

async function thread(version?: string): Promise<Port> {
  const bundle = await bundled('tests/fixtures/wire/echo-worker.ts', version);
  return workerPort(new Worker(bundle, { execArgv: [] }));
}
async function child(version: string): Promise<Port> {
  const bundle = await bundled('tests/fixtures/wire/echo-child.ts', version);
  return childPort(fork(bundle, [], { execArgv: [], serialization: 'advanced' }));
}

describe('parts of Archetone that meet', () => {
  it('talk to each other when they are of one version, or were not built', async () => {
    for (const start of [() => thread('2.0.0'), () => thread(), () => child('2.0.0')]) {
      const client = connect(await start(), echo);
      expect(await client.call('echo', { deep: 1 })).toMatchObject({ deep: 1 });
      client.close();
    }
  });

  it('refuse each other when they are of two versions, before anything is done', async () => {
    for (const start of [() => thread('1.9.0'), () => child('3.0.0')]) {
      const port = await start();
      const client = connect(port, echo);
      // It would end the other side.
      await expect(client.call('exit', {})).rejects.toMatchObject({
        code: 'other-version',
        message: expect.stringMatching(/two versions of Archetone met: .*2\.0\.0/) as string,
        hint: expect.stringContaining('install it again') as string,
      });
      await client.idle();
      await expect(client.call('state', {})).rejects.toMatchObject({ code: 'other-version' });
      let ended: Error | undefined;
      port.onClose((reason) => (ended = reason));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(ended).toBeUndefined();
      client.close();
    }
  });

  it('refuse what says nothing of its version, on both sides', async () => {
    const [here, there] = portPair();
    there.onMessage((message) => {
      if ((message as { type: string }).type === 'call') there.post({ type: 'result', id: 1, value: 'old' });
    });
    await expect(connect(here, echo).call('slow', {})).rejects.toMatchObject({
      code: 'other-version',
      message: expect.stringContaining('an older one') as string,
    });

    const [client, server] = portPair();
    serve(server, echo, echoHandlers());
    const replies: unknown[] = [];
    client.onMessage((message) => replies.push(message));
    client.post({ type: 'call', id: 1, method: 'state', input: {} });
    await expect.poll(() => replies.length).toBe(2);
    expect(replies).toMatchObject([
      { type: 'hello', version: '2.0.0' },
      { type: 'error', id: 1, error: { code: 'other-version' } },
    ]);
  });
});
