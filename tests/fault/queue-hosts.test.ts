import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { importFolder, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';
import { hostsMissing, makeHosts, withHosts } from '../support/hosts.ts';
import { contentsOf, libraryContents } from '../support/library-contents.ts';
import { natsMissing, NatsServer, withNats } from '../support/nats.ts';

const env = { ARCHETONE_EMBEDDER: '/none' };

it.skipIf(natsMissing || hostsMissing !== null)(
  `imports over a server and two workers on hosts of their own, each of which loses its network for a while${withNats}${withHosts}`,
  { timeout: 300_000 },
  async () => {
    const music = writeMusic({ perClass: 8, seconds: 4 });
    const { client, engine, dataFolder } = await startTestEngine();
    await importFolder(client, music);
    await engine.close();
    const { hosts } = makeHosts(['server', 'near', 'far']);
    const server = await NatsServer.start('', testFolder(), hosts.server);
    const kills: ((signal: NodeJS.Signals) => void)[] = [];
    // No folder is shared: the audio goes over the network as well.
    const work = (name: 'near' | 'far'): ReturnType<typeof runCli> =>
      runCli(
        [
          ...['worker', '--queue', server.url, '--name', name, '--cache', testFolder(), '--audio', 'sent'],
          ...['--batch', '4', '--threads', '1', '--tracks', '1'],
        ],
        { env, within: hosts[name].within, onStart: (kill) => kills.push(kill) },
      );
    const workers = [work('near'), work('far')];
    const data = testFolder();
    const args = ['import', music, '--library', data, '--queue', server.url, '--lease', '2', '--json'];
    const progress = { over: false };
    const importing = runCli(args, { env }).finally(() => (progress.over = true));
    const cuts: string[] = [];
    for (const name of ['near', 'server', 'far'] as const) {
      await sleep(1500);
      if (progress.over) break;
      hosts[name].unplug();
      await sleep(1500);
      hosts[name].plug();
      cuts.push(name);
    }
    const imported = await importing;
    expect(imported.code, imported.stderr).toBe(0);
    expect(cuts).not.toEqual([]);
    const { library } = imported.json() as { library: { dataFolder: string } };
    expect(contentsOf(library.dataFolder)).toEqual(libraryContents(dataFolder));
    for (const kill of kills) kill('SIGKILL');
    await Promise.all(workers);
    await server.kill();
  },
);
