import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, temporaryFolder, test } from './support/app.ts';
import type { RunningApp } from './support/app.ts';
import { answerDialogs } from './support/steps.ts';

interface Answer {
  type: string;
  error?: { code: string; message: string };
}

/** Takes the page over: the next port to the engine goes to our script, which speaks to the engine as it likes. */
async function takeOver({ page }: RunningApp): Promise<(method: string, input: unknown) => Promise<Answer>> {
  await page.addInitScript(() => {
    addEventListener(
      'message',
      (event) => {
        if (event.data !== 'archetone:engine-port') return;
        event.stopImmediatePropagation();
        Object.assign(globalThis, { stolen: event.ports[0] });
      },
      true,
    );
  });
  await page.reload();
  await page.waitForFunction(() => 'stolen' in globalThis);
  await page.evaluate(() => {
    const { stolen } = globalThis as unknown as { stolen: MessagePort };
    stolen.postMessage({ type: 'hello', version: null });
  });
  let id = 0;
  return (method, input) => {
    id++;
    return page.evaluate(
      (call) =>
        new Promise<Answer>((resolve) => {
          const { stolen } = globalThis as unknown as { stolen: MessagePort };
          stolen.addEventListener('message', ({ data }: MessageEvent<Answer & { id: number }>) => {
            if (data.id === call.id && data.type !== 'next') resolve(data);
          });
          stolen.start();
          stolen.postMessage(call);
        }),
      { type: 'call', id, method, input, credit: 16 },
    );
  };
}

test('a page that is taken over reaches no file that nobody chose', async ({ running }) => {
  const secrets = temporaryFolder('secrets');
  const file = join(secrets, 'diary.csv');
  writeFileSync(file, 'path,label\nI confess,everything\n');
  const call = await takeOver(running);
  const libraryId = 'none';
  const attempts: [string, unknown][] = [
    ['packs.inspect', { origin: { kind: 'files', paths: [file] } }],
    ['packs.add', { origin: { kind: 'files', paths: [file] } }],
    ['libraries.open', { folder: secrets }],
    ['libraries.relink', { libraryId, folder: secrets }],
    ['libraries.bundle', { libraryId, folder: join(secrets, 'out') }],
    ['libraries.takeIn', { bundle: secrets, folder: secrets }],
    ['taxonomies.create', { libraryId, source: { kind: 'csv', path: file } }],
    ['reductions.corpus', { libraryId, source: { kind: 'dataset', path: file } }],
    ['classify.files', { libraryId, experimentId: 'none', paths: [file] }],
    ['classify.audioUrl', { libraryId, path: file }],
    ['embed.files', { packId: 'compact', paths: [secrets], file: join(secrets, 'out.npz') }],
    ['neighbours.similar', { libraryId, queries: [{ of: { kind: 'file', path: file } }] }],
  ];
  for (const [method, input] of attempts) {
    const answer = await call(method, input);
    expect(answer.error?.code, `${method}: ${JSON.stringify(answer)}`).toBe('not-permitted');
    expect(JSON.stringify(answer)).not.toContain('confess');
  }
  const shell = await running.page.evaluate(async (path) => {
    const { archetone } = globalThis as unknown as {
      archetone: { reveal(path: string): Promise<void>; pathOf(file: File): Promise<string> };
    };
    const revealed = await archetone.reveal(path).then(
      () => 'shown',
      (error: unknown) => String(error),
    );
    const forged = await archetone.pathOf(new File(['x'], path));
    const inTransfer = new DataTransfer();
    inTransfer.items.add(new File(['x'], path));
    const [dropped] = inTransfer.files;
    return { revealed, forged, dropped: dropped ? await archetone.pathOf(dropped) : 'none' };
  }, file);
  expect(shell).toEqual({ revealed: expect.stringContaining('Refused') as unknown, forged: '', dropped: '' });

  // What a person chooses may be named, and what is in it; nothing that it leads to.
  const chosen = temporaryFolder('chosen');
  mkdirSync(join(chosen, 'music'));
  symlinkSync(secrets, join(chosen, 'link'));
  await answerDialogs(running.app, chosen);
  expect(
    await running.page.evaluate(() =>
      (
        globalThis as unknown as { archetone: { chooseFolder(title: string): Promise<string> } }
      ).archetone.chooseFolder('Folder'),
    ),
  ).toBe(chosen);
  expect((await call('libraries.open', { folder: join(chosen, 'music') })).type).toBe('result');
  for (const folder of [join(chosen, 'link'), `${chosen}/../${secrets.split('/').at(-1) ?? ''}`])
    expect((await call('libraries.open', { folder })).error?.code).toBe('not-permitted');
});
