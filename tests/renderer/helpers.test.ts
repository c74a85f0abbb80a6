// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ShellApi } from '../../engine/api/shell.ts';
import type { QueueConnection } from '../../engine/api/queue.ts';
import { App } from '../../renderer/src/shell/app.svelte.ts';
import Window from '../../renderer/src/shell/Window.svelte';
import { FakeEngine, fakeShell, fullAnswers, job } from './fake.ts';

vi.mock('wavesurfer.js', () => ({ default: { create: () => ({}) } }));
vi.mock('plotly.js-strict-dist-min', () => ({ default: { react: vi.fn(), purge: () => undefined } }));

const connection: QueueConnection = {
  ...{ server: 'tls://host:4222', creds: null, tlsCa: null, tlsCert: null, tlsKey: null },
  ...{ secret: false, lasting: false },
};
const byId = (id: string): HTMLElement => screen.getByTestId(id);

async function open(
  answers: ConstructorParameters<typeof FakeEngine>[0],
  view: App['view'],
  shell: Partial<ShellApi> = {},
): Promise<{ app: App; engine: FakeEngine }> {
  const engine = new FakeEngine({ ...fullAnswers, ...answers });
  const app = new App(fakeShell(shell));
  render(Window, { app });
  await app.connected(engine);
  await app.openKnown('L1');
  app.view = view;
  return { app, engine };
}

beforeEach(() => localStorage.clear());
afterEach(() => cleanup());

it('an evaluation has its vectors made by the helpers where they are asked for', async () => {
  const evaluation = job({ kind: 'evaluate', libraryId: null });
  const { app, engine } = await open(
    {
      'queue.get': () => connection,
      'evaluations.compose': () => ({ text: 'experiments: []' }),
      'evaluations.run': () => ({ jobId: evaluation.id }),
    },
    'evaluate',
  );
  await waitFor(() => byId('evaluation-helpers'));
  app.evaluations.form.task = 'mir';
  await waitFor(() => expect(byId('evaluation-run').hasAttribute('disabled')).toBe(false));
  await fireEvent.click(byId('evaluation-run'));
  await waitFor(() => expect(engine.inputsOf('evaluations.run')).toHaveLength(1));
  await fireEvent.click(byId('evaluation-helpers'));
  await fireEvent.click(byId('evaluation-run'));
  await waitFor(() => expect(engine.inputsOf('evaluations.run')).toHaveLength(2));
  expect(engine.inputsOf('evaluations.run')).toMatchObject([{ overQueue: false }, { overQueue: true }]);
  // Whoever disconnects the queue is not sent there any more.
  app.helpers.connection = null;
  await waitFor(() => expect(screen.queryByTestId('evaluation-helpers')).toBeNull());
  await fireEvent.click(byId('evaluation-run'));
  await waitFor(() => expect(engine.inputsOf('evaluations.run')).toHaveLength(3));
  expect(engine.inputsOf('evaluations.run')[2]).toMatchObject({ overQueue: false });
});

it('a queue is shown the certificate of this machine that was chosen, with its key', async () => {
  const chosen: Record<string, string> = {
    'Certificate of the server': '/pki/ca.pem',
    'Certificate of this machine': '/pki/studio.pem',
    'Key of this machine': '/pki/studio.key',
  };
  const files = { tlsCa: '/pki/ca.pem', tlsCert: '/pki/studio.pem', tlsKey: '/pki/studio.key' };
  const { engine } = await open({ 'queue.connect': () => ({ ...connection, ...files }) }, 'preferences', {
    chooseFile: (title) => Promise.resolve(chosen[title] ?? null),
  });
  await waitFor(() => byId('helpers-server'));
  await fireEvent.input(byId('helpers-server'), { target: { value: 'tls://host:4222' } });
  for (const file of ['ca', 'cert', 'key']) await fireEvent.click(byId(`helpers-${file}`));
  await waitFor(() => expect(byId('helpers-key').textContent).toContain('studio.key'));
  await fireEvent.click(byId('helpers-connect'));
  await waitFor(() => byId('helpers-connected'));
  expect(engine.inputsOf('queue.connect')).toEqual([
    { server: 'tls://host:4222', token: null, creds: null, ...files },
  ]);
  expect(byId('helpers').textContent).toContain('shows studio.pem of this machine');
});
