import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inScratch, sweepScratch } from '../../engine/files/scratch.ts';
import { bundled } from '../support/bundles.ts';
import { startTestEngine } from '../support/engine.ts';
import { testFolder } from '../support/music.ts';

async function working(): Promise<{ child: ChildProcess; folder: string }> {
  const child = spawn(process.execPath, [await bundled('tests/fault/scratch-child.ts')]);
  const folder = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString()));
    child.once('exit', () => reject(new Error('it ended before it was killed')));
  });
  return { child, folder };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

describe('folders for passing work', () => {
  it('are gone afterwards, also when the work failed', async () => {
    let seen = '';
    const failing = inScratch('test', (folder) => {
      seen = folder;
      expect(existsSync(folder)).toBe(true);
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    expect(basename(seen)).toMatch(/^archetone-test-/);
    expect(existsSync(seen)).toBe(false);
  });

  it('of a killed process are removed when an engine starts, and of a living one never', async () => {
    const [killed, living] = [await working(), await working()];
    try {
      await kill(killed.child);
      expect(existsSync(killed.folder)).toBe(true);
      await inScratch('test', async (own) => {
        await startTestEngine();
        await expect.poll(() => existsSync(killed.folder), { timeout: 20_000 }).toBe(false);
        expect(existsSync(join(living.folder, 'half.wav'))).toBe(true);
        expect(existsSync(own)).toBe(true);
      });
    } finally {
      await kill(living.child);
    }
    expect(await sweepScratch()).toContain(basename(living.folder));
  }, 30_000);

  it('are told by their whole name: nothing else is touched', async () => {
    const parent = testFolder();
    const killed = await working();
    await kill(killed.child);
    const name = basename(killed.folder);
    const others = [
      `${name}-more`,
      name.replace(/-[0-9a-f]{6}-/, '-ffffff-'),
      'archetone-engine-AbCdEf',
      `x${name}`,
    ];
    for (const folder of [name, ...others]) mkdirSync(join(parent, folder));
    expect(await sweepScratch(parent)).toEqual([name]);
    expect(readdirSync(parent).sort()).toEqual([...others].sort());
    expect(await sweepScratch(join(parent, 'not there'))).toEqual([]);
    expect(await sweepScratch(tmpdir())).toContain(name);
  }, 30_000);
});
