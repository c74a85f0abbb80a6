// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest';
import type { Recording } from '../../engine/api/recordings.ts';
import { LONGEST_RECORDING_SECONDS, RECORDING_RATE } from '../../engine/api/recordings.ts';
import type { ShellApi } from '../../engine/api/shell.ts';
import { EngineError } from '../../engine/api/errors.ts';
import type { CaptureEvents } from '../../renderer/src/recording/capture.ts';
import { joined, toPcm16 } from '../../renderer/src/recording/pcm.ts';
import { Recorder } from '../../renderer/src/recording/recorder.svelte.ts';
import { FakeEngine } from './fake.ts';

const patient = { timeout: 30_000 };

vi.mock('../../renderer/src/recording/capture-worklet.ts?worker&url', () => ({ default: 'worklet.js' }));

const kept: Recording = {
  id: 'recording-1',
  path: '/data/recordings/recording-1.wav',
  ...{ durationSeconds: 1, bytes: 96_044, recordedAt: '2026-11-28T12:00:00Z' },
};

function recorder(
  options: { answer?: Awaited<ReturnType<ShellApi['allowRecording']>>; fails?: Error } = {},
): {
  recorder: Recorder;
  engine: FakeEngine;
  microphone: CaptureEvents & { ended: number };
  given: Recording[];
} {
  const engine = new FakeEngine({ 'recordings.keep': () => kept });
  const microphone = { onSamples: () => undefined, onLost: () => undefined, ended: 0 } as CaptureEvents & {
    ended: number;
  };
  const given: Recording[] = [];
  const shell = { allowRecording: () => Promise.resolve(options.answer ?? 'allowed') };
  const recording = new Recorder(
    engine,
    shell,
    (recording) => given.push(recording),
    (_, events) => {
      if (options.fails !== undefined) return Promise.reject(options.fails);
      Object.assign(microphone, events);
      return Promise.resolve(() => {
        microphone.ended += 1;
        return Promise.resolve();
      });
    },
  );
  return { recorder: recording, engine, microphone, given };
}

const sent = (engine: FakeEngine): Int16Array => {
  const [input] = engine.inputsOf('recordings.keep') as { pcm: string }[];
  const bytes = Uint8Array.from(atob(input?.pcm ?? ''), (letter) => letter.charCodeAt(0));
  return new Int16Array(bytes.buffer);
};

describe('recording', () => {
  it('tells level and time, and keeps what was heard when it is stopped', async () => {
    const { recorder: made, engine, microphone, given } = recorder();
    await made.start(null);
    expect(made.state).toBe('recording');
    microphone.onSamples(new Float32Array(RECORDING_RATE).fill(0.5));
    expect(made.seconds).toBe(1);
    expect(made.levelDb).toBeCloseTo(-6.02, 1);
    microphone.onSamples(Float32Array.of(-0.25, 1));
    expect(made.clipped).toBe(true);
    void made.stop();
    expect(made.state).toBe('keeping');
    // Whoever leaves meanwhile waits for it too.
    await made.stop();
    expect(made.state).toBe('idle');
    expect(microphone.ended).toBe(1);
    expect(given).toEqual([kept]);
    const samples = sent(engine);
    expect(samples).toHaveLength(RECORDING_RATE + 2);
    expect([samples[0], ...samples.slice(-2)]).toEqual([16_384, -8192, 32_767]);
    // What still comes from the microphone belongs to nothing.
    microphone.onSamples(Float32Array.of(1));
    expect(made.seconds).toBeCloseTo(1, 3);
  });

  it('ends by itself at the longest, and when the microphone goes away', async () => {
    const long = recorder();
    const second = new Float32Array(RECORDING_RATE).fill(0.1);
    await long.recorder.start(null);
    for (let i = 0; i <= LONGEST_RECORDING_SECONDS; i++) long.microphone.onSamples(second);
    await vi.waitFor(() => expect(long.given).toHaveLength(1), { timeout: 60_000, interval: 20 });
    const [{ pcm }] = long.engine.inputsOf('recordings.keep') as [{ pcm: string }];
    expect(pcm.length).toBe((LONGEST_RECORDING_SECONDS * RECORDING_RATE * 2 * 4) / 3);

    const lost = recorder();
    await lost.recorder.start(null);
    lost.microphone.onSamples(Float32Array.of(0.5, 0.5));
    lost.microphone.onLost();
    await vi.waitFor(() => expect(lost.given).toHaveLength(1), patient);
  });

  it('says that nothing is heard while there is time to change that', async () => {
    const { recorder: made, microphone } = recorder();
    await made.start(null);
    microphone.onSamples(new Float32Array(3 * RECORDING_RATE));
    expect(made.quiet).toBe(true);
    microphone.onSamples(Float32Array.of(0.1));
    expect(made.quiet).toBe(false);
    await made.cancel();
  });

  it('forgets what is discarded, also while it is still asked for', async () => {
    const { recorder: made, engine, microphone, given } = recorder();
    await made.start(null);
    microphone.onSamples(Float32Array.of(0.5));
    await made.cancel();
    expect([made.state, microphone.ended, given.length, engine.calls.length]).toEqual(['idle', 1, 0, 0]);
    const asked = made.start(null);
    await made.cancel();
    await asked;
    expect(made.state).toBe('idle');
  });

  it('says why it cannot', async () => {
    const no = recorder({ answer: 'refused' });
    await no.recorder.start(null);
    expect(no.recorder.state).toBe('idle');
    expect(String(no.recorder.problem)).toContain('not allowed');
    const none = recorder({ fails: new EngineError('not-found', 'No microphone is connected.') });
    await none.recorder.start(null);
    expect(String(none.recorder.problem)).toContain('No microphone');
    await none.recorder.stop();
    expect(none.engine.calls).toEqual([]);
  });
});

it('puts pieces together up to a length, and cuts off what is louder than full scale', () => {
  const pieces = [Float32Array.of(1, 2), Float32Array.of(3, 4, 5)];
  expect([...joined(pieces, 4)]).toEqual([1, 2, 3, 4]);
  expect([...joined(pieces, 9)]).toEqual([1, 2, 3, 4, 5]);
  const pcm = new DataView(toPcm16(Float32Array.of(2, -2, 0.5, -1)).buffer);
  expect([0, 2, 4, 6].map((at) => pcm.getInt16(at, true))).toEqual([32_767, -32_768, 16_384, -32_768]);
});
