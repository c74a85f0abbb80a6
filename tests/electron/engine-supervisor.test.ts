import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { serve } from '../../engine/wire/serve.ts';
import { portPair } from '../../engine/wire/transports/in-process.ts';
import { engineContract } from '../../electron/engine-contract.ts';
import { EngineSupervisor } from '../../electron/engine-supervisor.ts';

const { fork } = vi.hoisted(() => ({ fork: vi.fn() }));
vi.mock('electron', () => ({
  app: { isPackaged: false },
  utilityProcess: { fork },
  MessageChannelMain: vi.fn(),
}));

describe('what a person chose', () => {
  it('while the engine is starting is told to that engine', async () => {
    const granted: string[][] = [];
    const started: (() => void)[] = [];
    const children: EventEmitter[] = [];
    fork.mockImplementation(() => {
      const [near, far] = portPair();
      const child = Object.assign(new EventEmitter(), {
        postMessage: (message: unknown) => near.post(message),
      });
      near.onMessage((message) => child.emit('message', message));
      const told: string[] = [];
      granted.push(told);
      children.push(child);
      const ready = new Promise<void>((resolve) => started.push(resolve));
      const none = (): never => {
        throw new Error('Not asked here.');
      };
      serve(far, engineContract, {
        start: async (config) => {
          told.push(...config.granted);
          await ready;
          return null;
        },
        grant: async ({ path }) => {
          await ready;
          told.push(path);
          return null;
        },
        ...{ stop: none, resolveMedia: none, mayShow: none, client: none, decoder: none, helper: none },
      });
      return child;
    });
    const supervisor = new EngineSupervisor(
      {
        ...{ dataFolder: '', packFolders: [], demoFolder: null, labelledDemoFolder: null, version: '0' },
        ...{ decodeWorker: '', datasetWorker: '', labelWorker: '' },
      },
      // The engine asks nothing of main here.
      { onFailed: vi.fn(), handlers: {} as ConstructorParameters<typeof EngineSupervisor>[1]['handlers'] },
    );
    await supervisor.grant('/before');
    supervisor.start();
    children[0]?.emit('spawn');
    const chosen = supervisor.grant('/meanwhile');
    started[0]?.();
    await chosen;
    expect(granted).toEqual([['/before', '/meanwhile']]);
  });
});
