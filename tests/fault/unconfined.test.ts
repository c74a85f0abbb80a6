import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { forkHelper } from '../../engine/helpers/process.ts';
import { bundled } from '../support/bundles.ts';
import { importFolder, listen, reimport, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';
import { runCli } from '../support/cli.ts';

/** An embedder process in which what calls the kernel cannot be loaded, as in a package that lacks a part of it. */
async function brokenEmbedder(): Promise<string> {
  const entry = await bundled('engine/embedder/entry.ts');
  const script = join(testFolder(), 'broken.mjs');
  writeFileSync(
    script,
    `import Module from 'node:module';
     const load = Module._load;
     Module._load = (name, ...rest) => {
       if (name === 'koffi') throw new Error("Cannot find module './src/init.cjs'\\nRequire stack:\\n- /opt/index.cjs");
       return load(name, ...rest);
     };
     await import(${JSON.stringify(pathToFileURL(entry).href)});`,
  );
  return script;
}

it.skipIf(process.platform !== 'linux')(
  'models that nothing keeps in are told of: at once, once, in one line, and to a window that comes later',
  async () => {
    const embedder = await brokenEmbedder();
    const { client, engine } = await startTestEngine({ embedder: forkHelper(embedder) });
    expect((await client.call('app.info', {})).notices).toEqual([]);
    const heard = listen(client);
    const { library, result } = await importFolder(client, writeMusic({ perClass: 1 }));
    expect(result.imported).toBe(3);
    await reimport(client, library.id);
    const message =
      'The models of packs run with all rights of yours, because the system cannot be called from here (Cannot find module ' +
      "'./src/init.cjs'). Use only packs of makers you trust.";
    expect((await heard()).filter(({ type }) => type === 'notice')).toEqual([{ type: 'notice', message }]);
    const info = await client.call('app.info', {});
    expect(info.notices).toEqual([message]);
    expect(info.confinement).toMatchObject({ calls: false, files: 'free' });
    await engine.close();

    const doctor = await runCli(['doctor', '--json'], { env: { ARCHETONE_EMBEDDER: embedder } });
    expect(doctor.stdout).toContain('nothing keeps them from the network');
  },
);
