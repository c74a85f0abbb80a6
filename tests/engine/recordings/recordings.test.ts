import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECORDING_RATE } from '../../../engine/api/recordings.ts';
import { keepRecording, listRecordings, removeRecordings } from '../../../engine/recordings/folder.ts';
import { startTestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

/** 16-bit samples of a tone. @param peak of full scale */
function tone(seconds: number, peak: number): Uint8Array {
  const samples = Int16Array.from({ length: seconds * RECORDING_RATE }, (_, i) =>
    Math.round(32_767 * peak * Math.sin((2 * Math.PI * 440 * i) / RECORDING_RATE)),
  );
  return new Uint8Array(samples.buffer);
}

const noon = new Date(2026, 10, 28, 12, 3, 9);

describe('recordings', () => {
  it('are kept sample for sample, under the time of whoever recorded them', async () => {
    const folder = join(testFolder(), 'recordings');
    const pcm = tone(0.5, 0.3);
    const kept = await keepRecording(folder, pcm, noon);
    expect(kept).toMatchObject({ id: 'recording-2026-11-28-120309', durationSeconds: 0.5 });
    const bytes = readFileSync(kept.path);
    expect(bytes.length).toBe(kept.bytes);
    expect(new Uint8Array(bytes.subarray(44))).toEqual(pcm);
    // Two within a second.
    expect((await keepRecording(folder, pcm, noon)).id).toBe('recording-2026-11-28-120309-2');
  });

  it('are listed, and deleted one by one; what is gone already is no fault', async () => {
    const folder = join(testFolder(), 'recordings');
    expect(await listRecordings(folder)).toEqual([]);
    const first = await keepRecording(folder, tone(0.2, 0.5), noon);
    const second = await keepRecording(folder, tone(0.3, 0.5), noon);
    expect(new Set((await listRecordings(folder)).map(({ id }) => id))).toEqual(
      new Set([first.id, second.id]),
    );
    await removeRecordings(folder, [first.id, 'never-there']);
    // What somebody else put there is not offered to be deleted.
    writeFileSync(join(folder, 'my best take.wav'), 'of another program');
    expect((await listRecordings(folder)).map(({ id }) => id)).toEqual([second.id]);
  });

  it('are refused when they hold nothing', async () => {
    const folder = join(testFolder(), 'recordings');
    await expect(keepRecording(folder, tone(1, 0), noon)).rejects.toMatchObject({ code: 'audio' });
    // −66 dB: the noise of a microphone that is turned off.
    await expect(keepRecording(folder, tone(1, 0.0005), noon)).rejects.toThrow(/silent/);
    await expect(keepRecording(folder, tone(0.05, 0.5), noon)).rejects.toThrow(/too short/);
    expect((await keepRecording(folder, tone(1, 0.002), noon)).durationSeconds).toBe(1);
  });

  it('may be named by a window, and nothing else of the data folder', async () => {
    const { client, engine, options } = await startTestEngine();
    const pcm = Buffer.from(tone(0.2, 0.5)).toString('base64');
    const { path } = await client.call('recordings.keep', { pcm });
    expect((await client.call('recordings.list', {})).map((recording) => recording.path)).toEqual([path]);
    expect(engine.grants.permits(path, 'name')).toBe(true);
    writeFileSync(join(options.dataFolder, 'preferences.json'), '{}');
    expect(engine.grants.permits(join(options.dataFolder, 'preferences.json'), 'name')).toBe(false);
    // The way out of the folder is no name.
    await expect(client.call('recordings.remove', { ids: ['../preferences'] })).rejects.toMatchObject({
      code: 'bad-input',
    });
    await client.call('recordings.remove', { ids: ['recording-of-nothing'] });
    expect(await client.call('recordings.list', {})).toHaveLength(1);
  });
});
