import { build } from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, repository, temporaryFolder, test } from './support/app.ts';
import { jobState, openLibrary, pidOf } from './support/steps.ts';

test.skip(process.platform !== 'linux', 'only Linux lets a process give up its rights (ADR 16)');

const samples = join(repository, 'node_modules/supersonic-scsynth-samples/samples');

test('the processes of the models and of the readers are kept in by the system, with every thread', async ({
  running,
}) => {
  await openLibrary(running, samples);
  expect(await jobState(running.page, 'import', 120_000)).toBe('done');
  for (const process of ['Archetone embedder', 'Archetone readers']) {
    const pid = await pidOf(running, process);
    expect(pid).not.toBeNull();
    const threads = readdirSync(`/proc/${String(pid)}/task`);
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) {
      const status = readFileSync(`/proc/${String(pid)}/task/${thread}/status`, 'utf8');
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
    }
  }
  // Nobody is told that something is missing.
  await expect(running.page.locator('[data-testid=toast]', { hasText: 'all rights of yours' })).toHaveCount(
    0,
  );
});

test('a utility process that tries gets nowhere once it was confined', async ({ running }) => {
  const folder = temporaryFolder('confinement');
  // Inside the repository, where it finds what it is made of.
  const cache = join(repository, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const script = join(cache, `escape-${String(process.pid)}.mjs`);
  await build({
    entryPoints: [join(repository, 'tests/support/escape-child.ts')],
    outfile: script,
    ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm', logLevel: 'error' },
  });
  let reached = 0;
  const server = createServer((socket) => {
    reached++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    for (const how of ['confined', 'programs', 'free'] as const) {
      writeFileSync(join(folder, 'there'), 'kept');
      const told = await running.app.evaluate(
        ({ utilityProcess }, [file, ...input]) =>
          new Promise((resolve) => {
            const child = utilityProcess.fork(file ?? '', input, { stdio: 'inherit' });
            child.once('message', (message: unknown) => {
              child.kill();
              resolve(message);
            });
            child.once('exit', (code) => resolve(`ended with ${String(code)}`));
          }),
        [script, how, folder, String((server.address() as AddressInfo).port)],
      );
      const could = how === 'free';
      expect(told).toMatchObject({
        read: true,
        program: could || how === 'programs',
        ...{ network: could, datagram: could, signalParent: could, write: could },
        ...{ programNetwork: could, programWrites: could, programSignals: could, ffmpegWrites: could },
        ...{ writeOnPool: could, writeOnEarlyThread: could, makeFolder: could, rename: could, remove: could },
      });
      // Once by itself, once by a program.
      expect(reached).toBe(could ? 2 : 0);
      if (!could) expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('kept');
    }
  } finally {
    server.close();
    for (const path of [folder, script]) rmSync(path, { recursive: true, force: true });
  }
});
