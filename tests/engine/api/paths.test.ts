import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { connectEngine } from '../../../engine/api/client.ts';
import { contract } from '../../../engine/api/contract.ts';
import type { Method } from '../../../engine/api/contract.ts';
import { pathFields } from '../../../engine/api/paths.ts';
import { PathGrants } from '../../../engine/grants.ts';
import { portPair } from '../../../engine/wire/transports/in-process.ts';
import { importFolder, startTestEngine } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';

const methods = Object.keys(contract) as Method[];
const nobody = { named: () => [], shown: () => [] };

/** Every method of a window that names files, and where. A new one must be judged here. */
const table: Partial<Record<Method, string[]>> = {
  'libraries.open': ['folder'],
  'libraries.relink': ['folder'],
  'libraries.bundle': ['folder'],
  'libraries.takeIn': ['bundle', 'folder'],
  'caches.move': ['folder'],
  'sonify.save': ['file'],
  'stores.search': ['of.path'],
  'taxonomies.create': ['source.path'],
  'classify.files': ['paths.*'],
  'classify.audioUrl': ['path'],
  'embed.files': ['paths.*', 'file'],
  'tags.files': ['paths.*', 'labels.file'],
  'neighbours.similar': ['queries.*.of.path'],
  'listening.export': ['path'],
  'melody.play': ['file'],
  'melody.readMidi': ['file'],
  'melody.writeMidi': ['file'],
  'mistakes.export': ['path'],
  'modalities.find': ['by.path'],
  'modalities.learn': ['imageNetwork'],
  'modulation.map': ['of.path'],
  'modulation.hear': ['of.path'],
  'modulation.save': ['of.path', 'file'],
  'playlists.add': ['paths.*'],
  'reductions.corpus': ['source.path', 'source.labels.path'],
  'reductions.study': ['request.source.path', 'request.source.labels.path', 'request.split.path'],
  'evaluations.run': ['file.path', 'places.*'],
  'evaluations.read': ['file.path', 'places.*'],
  'evaluations.export': ['file'],
  'evaluations.savePng': ['file'],
  'evaluations.save': ['file'],
  'exports.start': ['folder'],
  'packs.inspect': ['origin.paths.*'],
  'packs.add': ['origin.paths.*'],
  'packs.scoreFolders': ['folders.*', 'twin'],
  'packs.score': ['instruments', 'rendered', 'styles', 'twin', 'listenTo'],
  'queue.connect': ['creds', 'tlsCa', 'tlsCert', 'tlsKey'],
  'datasets.knn': ['train', 'test', 'labels.path'],
};

describe('the paths of the contract', () => {
  it('are known of every method', () => {
    const found = methods.flatMap((method) => {
      const ways = pathFields(method).map((way) => way.join('.'));
      return ways.length === 0 ? [] : [[method, ways.sort()]];
    });
    const expected = Object.entries(table).map(([method, ways]) => [method, [...ways].sort()]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  it('have a schema of their own wherever a field is called like one', () => {
    const unmarked = methods.flatMap((method) => {
      const text = JSON.stringify(z.toJSONSchema(contract[method].input, { io: 'input' }));
      const named = text.match(/"(path|paths|folder|folders|file|files|bundle)":\{"type"/g) ?? [];
      // A list of paths holds marked ones.
      const marked =
        text.match(
          /"(path|paths|folder|folders|file|files|bundle)":\{"type":"(string"[^{}]*"format":"path"|array"[^{}]*"items":\{[^{}]*"format":"path")/g,
        ) ?? [];
      // Keys of zod come in another order now and then: compared by number.
      return named.length === marked.length ? [] : [[method, named, marked, text]];
    });
    expect(unmarked).toEqual([]);
  });

  it.each(Object.entries(table).flatMap(([method, ways]) => ways.map((way) => [method, way] as const)))(
    '%s refuses %s that nobody chose, and takes it once somebody did',
    (method, way) => {
      const grants = new PathGrants(nobody);
      const chosen = testFolder();
      const input = (path: string): unknown =>
        way
          .split('.')
          .reverse()
          .reduce<unknown>((inner, step) => (step === '*' ? [inner] : { [step]: inner }), path);
      const check = (path: string) => () => grants.check(method as Method, input(path));
      expect(check(chosen)).toThrow(expect.objectContaining({ code: 'not-permitted' }));
      grants.grant(chosen);
      expect(check(chosen)).not.toThrow();
      expect(check(join(chosen, 'not/there/yet'))).not.toThrow();
      expect(check(`${chosen}-beside`)).toThrow(expect.objectContaining({ code: 'not-permitted' }));
    },
  );
});

describe('what was chosen', () => {
  it('grants what is in it, and nothing that it leads to', () => {
    const grants = new PathGrants(nobody);
    const folder = testFolder();
    const other = testFolder();
    writeFileSync(join(other, 'secret'), '');
    symlinkSync(other, join(folder, 'link'));
    mkdirSync(join(folder, '..inside'));
    grants.grant(folder);
    expect(grants.permits(join(folder, '..inside'), 'name')).toBe(true);
    for (const path of [
      join(folder, '..', 'x'),
      `${folder}/../../etc/passwd`,
      join(folder, 'link/secret'),
      join(other, 'secret'),
      '/',
    ])
      expect(grants.permits(path, 'name'), path).toBe(false);
    grants.grant(join(other, 'secret'));
    expect(grants.permits(join(other, 'secret'), 'name')).toBe(true);
    expect(grants.permits(other, 'name')).toBe(false);
  });

  it('is asked of windows, not of the command line; music folders of libraries are known', async () => {
    const { engine, client, options } = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const [here, there] = portPair();
    engine.serve(there);
    const window = connectEngine(here);
    await expect(window.call('libraries.open', { folder })).rejects.toMatchObject({ code: 'not-permitted' });
    const { library } = await importFolder(client, folder);
    expect((await window.call('libraries.open', { folder })).id).toBe(library.id);
    const pack = join(options.packFolders[0] ?? '', 'compact');
    expect(engine.grants.permits(pack, 'show')).toBe(true);
    expect(engine.grants.permits(pack, 'name')).toBe(false);

    const file = join(testFolder(), 'notes.pt');
    writeFileSync(file, 'my secret words, which are nobody’s business');
    const inspect = { origin: { kind: 'files' as const, paths: [file] } };
    await expect(window.call('packs.inspect', inspect)).rejects.toMatchObject({ code: 'not-permitted' });
    engine.grants.grant(file);
    const told = await window.call('packs.inspect', inspect).catch((thrown: unknown) => thrown as Error);
    // What is in a file is for whoever opens it.
    expect(JSON.stringify([told, (told as Error).message])).not.toMatch(/secret|words/);
    expect((told as Error).message).toContain('plain text');
  });
});
