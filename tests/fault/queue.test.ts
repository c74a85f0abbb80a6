import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFolder, startTestEngine } from '../support/engine.ts';
import { copyFixture, testFolder, writeMusic } from '../support/music.ts';
import { clockOff, runCli, type CliRun } from '../support/cli.ts';
import { libraryContents } from '../support/library-contents.ts';
import { natsMissing, NatsServer, withNats } from '../support/nats.ts';

const TOKEN = 'a-token-of-a-test';
// Graphs run inside the worker: a build of another day may lie beside the sources.
const env = { ARCHETONE_QUEUE_TOKEN: TOKEN, ARCHETONE_EMBEDDER: '/none' };

interface WorkerProcess {
  ended: Promise<CliRun>;
  kill: (signal: NodeJS.Signals) => void;
}

/** A worker in a process of its own. @param onLog told each line of its log */
async function startWorker(
  url: string,
  args: readonly string[] = [],
  onLog: (log: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
  more: Record<string, string> = {},
): Promise<WorkerProcess> {
  const common = ['--cache', testFolder(), '--batch', '4', '--threads', '1', '--tracks', '2'];
  return new Promise((resolve) => {
    const ended = runCli(['worker', '--queue', url, ...common, ...args, '--json'], {
      env: { ...env, ...more },
      onStderr: onLog,
      onStart: (kill) => resolve({ ended, kill }),
    });
  });
}

const importOver = (url: string, music: string, data: string): Promise<CliRun> =>
  runCli(['import', music, '--library', data, '--queue', url, '--lease', '2', '--json'], { env });

/** The same library, imported by one machine alone. */
async function importedHere(music: string): Promise<Record<string, unknown>[]> {
  const { client, engine, dataFolder } = await startTestEngine();
  await importFolder(client, music);
  await engine.close();
  return libraryContents(dataFolder);
}

describe.skipIf(natsMissing)(`a library over two workers${withNats}`, () => {
  it('is the same, byte for byte, as from one machine, although a worker is killed', async () => {
    const music = writeMusic({ perClass: 5, seconds: 3 });
    copyFixture('stereo-cbr.mp3', music);
    appendFileSync(join(music, 'broken.flac'), 'fLaC and nothing more');
    const [server, alone] = await Promise.all([
      NatsServer.start(`authorization { token: "${TOKEN}" }`),
      importedHere(music),
    ]);
    const data = testFolder();
    const importing = importOver(server.url, music, data);
    // Killed with two tasks under way, which others get when their lease ends, after two seconds.
    const killed = await startWorker(server.url, ['--name', 'killed'], (log, kill) => {
      if ((log.match(/"event":"took"/g) ?? []).length >= 3) kill('SIGKILL');
    });
    expect((await killed.ended).signal).toBe('SIGKILL');
    // Nothing goes by the clock of a machine.
    const yearsAhead = clockOff(4 * 365 * 24 * 3600 * 1000);
    const other = await startWorker(server.url, ['--name', 'other'], undefined, yearsAhead);
    const imported = await importing;
    expect(imported.stderr).not.toContain('internal');
    expect(imported.json()).toMatchObject({ import: { imported: 16, failed: 1 } });
    other.kill('SIGTERM');
    const stopped = await other.ended;
    expect(stopped.code).toBe(0);
    expect(stopped.json()).toMatchObject({ worker: 'other', handedBack: 0 });
    expect(libraryContents(data)).toEqual(alone);
    await server.kill();
    rmSync(music, { recursive: true });
  });
});
