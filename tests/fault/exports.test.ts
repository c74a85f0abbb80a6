import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBundle, type WriteFile } from '../../engine/bundles/bundle.ts';
import { asEngineError } from '../../engine/packs/failures.ts';
import { bundled } from '../support/bundles.ts';
import { settled, startTestEngine } from '../support/engine.ts';
import { testFolder } from '../support/music.ts';
import { trainedLibrary } from '../support/trained.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** A disk that has room for a number of files. */
function fullAfter(files: number, code = 'ENOSPC'): WriteFile {
  let written = 0;
  return async (path, bytes) => {
    if (written++ >= files) throw systemError(code);
    await writeFile(path, bytes);
  };
}

describe('an export whose process is killed', () => {
  it('leaves a folder that goes at the next start, and nothing else goes', async () => {
    const lib = await trainedLibrary({ perClass: 5 });
    await lib.test.engine.close();
    const parent = testFolder();
    const folder = join(parent, 'bundle');
    // Somebody else's, whatever it is called.
    mkdirSync(`${folder}.partial-mine`);
    const script = await bundled('tests/fault/export-child.ts');
    const subject = { kind: 'experiment', experimentId: lib.experiment.id };
    const request = JSON.stringify({ libraryId: lib.libraryId, subject, folder });
    const child = spawn(process.execPath, [script, JSON.stringify(lib.test.options), request], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const left = (): string[] => readdirSync(parent).filter((name) => name !== 'bundle.partial-mine');
    while (left().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    expect(left()).toEqual([expect.stringMatching(/^bundle\.partial-/)]);

    const { client, engine } = await startTestEngine(lib.test.options);
    const jobs = await client.call('jobs.list', {});
    expect(jobs.find(({ kind }) => kind === 'export')).toMatchObject({
      state: 'failed',
      error: { code: 'engine-restarted' },
    });
    await engine.close();
    expect(readdirSync(parent)).toEqual(['bundle.partial-mine']);
  });
});

describe('an export that fails', () => {
  it.each([0, 1, 2])('on a disk that is full after %d files leaves nothing behind', async (files) => {
    const parent = testFolder();
    const writing = writeBundle(
      join(parent, 'bundle'),
      'w',
      async (bundle) => {
        await bundle.add('a.csv', 'a');
        await bundle.add('audio/b.wav', new Uint8Array(10));
        await bundle.add('manifest.json', '{}');
      },
      fullAfter(files),
    );
    // As the queue of jobs tells it.
    expect(asEngineError(await writing.catch((thrown: unknown) => thrown))).toMatchObject({
      code: 'disk-full',
      hint: expect.stringContaining('space') as string,
    });
    expect(readdirSync(parent)).toEqual([]);
  });

  it('in a folder that cannot be written says so', async () => {
    const parent = testFolder();
    await expect(
      writeBundle(join(parent, 'bundle'), 'w', (bundle) => bundle.add('a', 'a'), fullAfter(0, 'EACCES')),
    ).rejects.toMatchObject({ code: 'bad-input' });
    expect(readdirSync(parent)).toEqual([]);
  });

  it('keeps what was there when the bundle cannot be completed', async () => {
    const parent = testFolder();
    const folder = join(parent, 'bundle');
    await writeBundle(folder, 'w', (bundle) => bundle.add('a', 'first'));
    await expect(writeBundle(folder, 'w', (bundle) => bundle.add('a', 'second'))).rejects.toMatchObject({
      code: 'bad-input',
    });
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('first');
    expect(readdirSync(parent)).toEqual(['bundle']);
  });

  it('keeps what came to its place while it was written', async () => {
    const parent = testFolder();
    const folder = join(parent, 'bundle');
    const writing = writeBundle(folder, 'w', async (bundle) => {
      await bundle.add('a', 'second');
      await writeBundle(folder, 'other', (other) => other.add('a', 'first'));
    });
    await expect(writing).rejects.toMatchObject({ code: 'bad-input' });
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('first');
    expect(readdirSync(parent)).toEqual(['bundle']);
  });

  it('or is cancelled leaves nothing behind', async () => {
    const lib = await trainedLibrary({ perClass: 5 });
    const parent = testFolder();
    const { client } = lib.test;
    const { jobId } = await client.call('exports.start', {
      libraryId: lib.libraryId,
      subject: { kind: 'experiment', experimentId: lib.experiment.id },
      folder: join(parent, 'bundle'),
    });
    for (;;) {
      const job = await client.call('jobs.get', { jobId });
      if (job.progress.done > 0 || job.finishedAt !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.call('jobs.cancel', { jobId });
    expect((await settled(client, jobId)).state).toBe('cancelled');
    expect(existsSync(join(parent, 'bundle'))).toBe(false);
    expect(readdirSync(parent)).toEqual([]);
  });
});
