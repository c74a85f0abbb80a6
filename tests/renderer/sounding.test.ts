import { describe, expect, it, vi } from 'vitest';
import type { ListeningTest } from '../../engine/api/listening.ts';
import { ListeningRun } from '../../renderer/src/listening/listening.svelte.ts';
import { readClip } from '../../renderer/src/listening/blind-sounds.ts';
import type { DecodedSound } from '../../renderer/src/player/sound.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import { FakeEngine, fakeShell, fullAnswers, job, sessionOf, sonification, space } from './fake.ts';

const patient = { timeout: 30_000 };

const decode = vi.hoisted(() => vi.fn<(url: string, signal: AbortSignal) => Promise<DecodedSound>>());
vi.mock('../../renderer/src/player/sound.ts', async (original) => ({
  ...(await original<object>()),
  decodeMono: decode,
}));

async function open(answers: ConstructorParameters<typeof FakeEngine>[0] = {}) {
  const engine = new FakeEngine({ ...fullAnswers, ...answers });
  const app = new App(fakeShell());
  await app.connected(engine);
  await app.openKnown('L1');
  return { app, engine, session: sessionOf(app) };
}

/** As much of an audio element as the player asks for. */
function element(): { audio: HTMLAudioElement; play: ReturnType<typeof vi.fn> } {
  const play = vi.fn(() => Promise.resolve());
  const audio = Object.assign(new EventTarget(), {
    ...{ play, pause: () => undefined, volume: 1, currentTime: 0, paused: true, ended: false, src: '' },
    ...{ removeAttribute: () => undefined, getAttribute: () => null },
  });
  return { audio: audio as unknown as HTMLAudioElement, play };
}

/** A second of a tone. */
const second: DecodedSound = {
  samples: Float32Array.from({ length: 22_050 }, (_, i) => 0.1 * Math.sin((2 * Math.PI * 440 * i) / 22_050)),
  sampleRate: 22_050,
};

describe('the player', () => {
  it('that is closed while a sound is measured plays nothing, and nothing fails', async () => {
    const { app, session } = await open();
    app.settings.change({ matchLevels: true });
    const { audio, play } = element();
    vi.stubGlobal('cancelAnimationFrame', () => undefined);
    const detach = session.player.attach(audio);
    let measured: (sound: DecodedSound) => void = () => undefined;
    decode.mockImplementation(() => new Promise((resolve) => (measured = resolve)));
    const playing = session.player.playSonification(sonification('s1'), 'One');
    session.player.close();
    measured(second);
    await expect(playing).resolves.toBeUndefined();
    expect(play).not.toHaveBeenCalled();
    app.settings.change({ matchLevels: false });
    detach();
    vi.unstubAllGlobals();
  });

  it('decodes no further what is not shown any more', async () => {
    const { session } = await open();
    const { player } = session;
    const signals: AbortSignal[] = [];
    decode.mockImplementation((_url, signal) => {
      signals.push(signal);
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        if (signals.length === 2) resolve(second);
      });
    });
    await player.playSonification(sonification('s1'), 'One');
    const first = player.needSamples();
    await player.playSonification(sonification('s2'), 'Two');
    expect(await first).toBeNull();
    expect(await player.needSamples()).toBe(second);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(player.samples.decoded).toBe(second);
  });
});

describe('a blind test', () => {
  const test: ListeningTest = {
    summary: {
      ...{ id: 'T1', experimentId: 'E1', experimentName: 'One', revision: 1, space, seed: 1 },
      settings: { seed: 1, steps: 4, guidance: 0, from: { origin: 'noise' } },
      ...{ rounds: 1, answered: 0, scores: [], createdAt: '2026-01-01T00:00:00Z', finishedAt: null },
    },
    questions: [{ kind: 'class', index: 0, class: 'bass', choices: ['bass', 'drum'], answer: null }],
  };

  it('that is left while its sounds are made makes no more of them, and does not come back', async () => {
    const { app, engine, session } = await open({
      'listening.start': () => test,
      'listening.list': () => [test.summary],
      'sonify.start': () => ({ jobId: 'J9' }),
      'jobs.get': () => job({ id: 'J9', kind: 'sonify' }),
      'jobs.cancel': () => null,
    });
    const run = new ListeningRun(session);
    const taken = run.start('E1', { classRounds: 1, realRounds: 0, abxRounds: 0, choices: 2, seed: 1 });
    await vi.waitFor(() => expect(run.jobId).toBe('J9'), patient);
    expect(run.phase).toBe('preparing');
    await run.leave();
    expect(engine.inputsOf('jobs.cancel')).toEqual([{ jobId: 'J9' }]);
    app.jobs.apply(job({ id: 'J9', kind: 'sonify', state: 'cancelled' }));
    await expect(taken).resolves.toBeUndefined();
    expect([run.phase, run.test, run.jobId]).toEqual(['setup', null, null]);
    run.close();
  });

  it('plays both sounds of a question equally long, also where a recording ends before', async () => {
    decode.mockImplementation(() => Promise.resolve(second));
    const part = { start: 0.75, seconds: 0.5 };
    const { samples, gain } = await readClip('archetone://audio/x', new AbortController().signal, part);
    expect(samples).toHaveLength(11_025);
    expect(samples.at(-1)).toBe(0);
    // What is heard is brought to the common loudness, not what was added.
    const whole = await readClip('archetone://audio/x', new AbortController().signal);
    expect(Math.abs(20 * Math.log10(gain / whole.gain))).toBeLessThan(3);
  });
});
