import { afterEach, expect, it, vi } from 'vitest';
import { Output } from '../../renderer/src/player/output.ts';

afterEach(() => vi.unstubAllGlobals());

it('wakes a graph that is still going to sleep, which calls itself running', async () => {
  const orders: string[] = [];
  const node = { connect: () => node, gain: { value: 1 } };
  const context = {
    sinkId: '',
    destination: node,
    // The state changes only when the audio thread has answered.
    state: 'running',
    createGain: () => node,
    createMediaElementSource: () => node,
    suspend: () => Promise.resolve(orders.push('suspend')),
    resume: () => Promise.resolve(orders.push('resume')),
    close: () => Promise.resolve(),
  };
  vi.stubGlobal('AudioContext', function () {
    return context;
  });
  const silent = { volume: 1, paused: true, ended: false, dataset: {} };
  const output = new Output(silent as unknown as HTMLAudioElement);
  // Louder than the file: by a graph, which sleeps while nothing plays.
  output.set(1, 6);
  output.wake();
  await Promise.resolve();
  expect(orders).toEqual(['suspend', 'resume']);
});
