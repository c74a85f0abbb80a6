import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultPreferences } from '../../../engine/api/preferences.ts';
import { readPreferences } from '../../../engine/preferences/file.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

describe('preferences', () => {
  it('are kept in one file, which the next start reads', async () => {
    const engine = await startTestEngine();
    const { client, dataFolder } = engine;
    expect(await client.call('preferences.get', {})).toEqual(defaultPreferences);
    expect(existsSync(join(dataFolder, 'preferences.json'))).toBe(false);
    await Promise.all([
      client.call('preferences.change', { change: { theme: 'dark', threads: 1 } }),
      client.call('preferences.change', { change: { textSize: 125 } }),
    ]);
    const wanted = { ...defaultPreferences, theme: 'dark', threads: 1, textSize: 125 };
    expect(JSON.parse(readFileSync(join(dataFolder, 'preferences.json'), 'utf8'))).toEqual(wanted);
    expect(readPreferences(dataFolder)).toEqual({ preferences: wanted, unknown: {}, problem: null });
    const again = await engine.restart();
    expect(await again.client.call('preferences.get', {})).toEqual(wanted);
  });

  it('takes the default of what is not valid only, and says which', async () => {
    const folder = testFolder();
    const write = (text: string): void => writeFileSync(join(folder, 'preferences.json'), text);
    write('{"theme":"purple","textSize":150,"fromLater":1}');
    const { preferences, problem } = readPreferences(folder);
    expect(preferences).toEqual({ ...defaultPreferences, textSize: 150 });
    expect(problem).toContain('no valid theme');
    for (const damaged of ['{"theme":', '[]', '"dark"', '']) {
      write(damaged);
      expect(readPreferences(folder).preferences).toEqual(defaultPreferences);
      expect(readPreferences(folder).problem).toContain('damaged');
    }
    const engine = await startTestEngine();
    writeFileSync(join(engine.dataFolder, 'preferences.json'), '{"threads":0}');
    const { client } = await engine.restart();
    expect((await client.call('app.info', {})).notices.join()).toContain('no valid threads');
    expect((await client.call('preferences.get', {})).threads).toBeNull();
  });

  it('keeps what a later version prefers', async () => {
    const engine = await startTestEngine();
    const file = join(engine.dataFolder, 'preferences.json');
    writeFileSync(file, '{"theme":"light","fromLater":{"a":1}}');
    const { client } = await engine.restart();
    expect(await client.call('preferences.change', { change: { textSize: 110 } })).not.toHaveProperty(
      'fromLater',
    );
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      ...{ theme: 'light', textSize: 110, fromLater: { a: 1 } },
    });
  });

  it('tells every window of a change', async () => {
    const { client } = await startTestEngine();
    const stop = new AbortController();
    const told = (async () => {
      for await (const event of client.stream('events', {}, { signal: stop.signal }))
        if (event.type === 'preferences-changed') return event.preferences;
      return null;
    })();
    await client.call('preferences.change', { change: { soundsInBackground: false } });
    expect(await told).toEqual({ ...defaultPreferences, soundsInBackground: false });
    stop.abort();
  });
});
