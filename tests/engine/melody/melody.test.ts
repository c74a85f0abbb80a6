import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Note } from '../../../engine/api/melody.ts';
import { encodeWav } from '../../../models/audio/encode-wav.ts';
import { finished, importFolder } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

const scale: Note[] = [60, 62, 64, 65, 67].map((midiPitch, i) => ({
  ...{ onsetSeconds: i / 4, durationSeconds: 0.2, midiPitch, velocity: 90 },
}));

describe('a melody on a prototype', () => {
  let lib: TrainedLibrary;
  let at: { libraryId: string; experimentId: string };

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 4 });
    at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
  });

  async function play(more: { index?: number; notes?: Note[]; file?: string } = {}) {
    const { jobId } = await lib.test.client.call('melody.play', { ...at, index: 0, notes: scale, ...more });
    return (await finished(lib.test.client, jobId, 'melody')).melody;
  }
  const fileOf = (url: string): string =>
    lib.test.engine.media.resolve(url.split('/').at(-1) ?? '')?.path ?? '';

  it('is played, kept as a file, and classified beside the same notes by a sine', async () => {
    const file = join(testFolder(), 'tune.wav');
    const melody = await play({ file });
    expect(melody.file).toBe(file);
    // 1.2 s of notes and their release.
    expect(melody.durationSeconds).toBeCloseTo(1.26, 2);
    expect(melody.instrument.endSeconds).toBeGreaterThan(melody.instrument.startSeconds);
    const { scores, own, ownBySine } = melody.classes;
    expect(scores.map((score) => score.class).sort()).toEqual(['bass', 'high', 'mid']);
    expect(scores.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(own.probability).toBe(scores[own.rank - 1]?.probability);
    expect(scores[own.rank - 1]?.class).toBe(own.class);
    expect(ownBySine).toBeGreaterThanOrEqual(0);
    expect(ownBySine).toBeLessThanOrEqual(1);
    // What the network says of the file when it is dropped on the window.
    const { jobId } = await lib.test.client.call('classify.files', { ...at, paths: [file] });
    const { files } = await finished(lib.test.client, jobId, 'classify');
    expect(files[0]?.scores.map(({ probability }) => probability)).toEqual(
      scores.map(({ probability }) => probability),
    );
    expect(readFileSync(fileOf(melody.url)).equals(readFileSync(file))).toBe(true);

    // The same again, and nothing is written over.
    const again = await play();
    expect([again.id, again.file]).toEqual([melody.id, null]);
    expect(readFileSync(fileOf(again.url)).equals(readFileSync(file))).toBe(true);
    await expect(play({ file })).rejects.toMatchObject({ code: 'bad-input' });
    const higher = await play({ notes: scale.map((note) => ({ ...note, midiPitch: note.midiPitch + 5 })) });
    expect(higher.id).not.toBe(melody.id);
  });

  it('is refused without notes, too long, or on a prototype that is not there', async () => {
    await expect(play({ notes: [] })).rejects.toMatchObject({ code: 'bad-input' });
    const last = { ...scale[0], onsetSeconds: 599, durationSeconds: 2 } as Note;
    await expect(play({ notes: [last] })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(play({ index: 99 })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is taken from a track of the library', async () => {
    const { client } = lib.test;
    const tune = testFolder();
    const samples = new Float32Array(3 * 22_050);
    for (const [i, { midiPitch }] of scale.entries())
      for (let n = 0; n < 10_000; n++) {
        const t = n / 22_050;
        const phase = 2 * Math.PI * 440 * 2 ** ((midiPitch - 69) / 12) * t;
        samples[4000 + i * 11_000 + n] =
          0.3 * Math.exp(-2 * t) * (Math.sin(phase) + 0.3 * Math.sin(2 * phase));
      }
    writeFileSync(join(tune, 'tune.wav'), encodeWav(samples, 22_050, 'pcm16'));
    const { library } = await importFolder(client, tune);
    const page = await client.call('tracks.list', { libraryId: library.id });
    const trackId = page.tracks[0]?.id ?? '';
    const { jobId } = await client.call('melody.transcribe', { libraryId: library.id, trackId });
    const { notes } = await finished(client, jobId, 'transcribe');
    expect(notes.map(({ midiPitch }) => midiPitch)).toEqual(scale.map(({ midiPitch }) => midiPitch));
    // Times are counted from the part that is listened to.
    const part = await client.call('melody.transcribe', {
      libraryId: library.id,
      trackId,
      startSeconds: 1.1,
    });
    const later = (await finished(client, part.jobId, 'transcribe')).notes;
    expect(later.map(({ midiPitch }) => midiPitch)).toEqual([64, 65, 67]);
    expect(later[0]?.onsetSeconds).toBeCloseTo((4000 + 22_000) / 22_050 - 1.1, 1);
    const silent = await client.call('melody.transcribe', {
      libraryId: library.id,
      trackId,
      startSeconds: 99,
    });
    await expect(finished(client, silent.jobId, 'transcribe')).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('comes from MIDI and goes back to it', async () => {
    const { client } = lib.test;
    const file = join(testFolder(), 'tune.mid');
    const { bytes } = await client.call('melody.writeMidi', {
      libraryId: at.libraryId,
      notes: scale,
      beatsPerMinute: 100,
      file,
    });
    expect(readFileSync(file)).toHaveLength(bytes);
    const read = await client.call('melody.readMidi', { file });
    expect(read).toMatchObject({ beatsPerMinute: 100, remarks: [] });
    expect(read.notes.map(({ midiPitch }) => midiPitch)).toEqual([60, 62, 64, 65, 67]);
    await expect(
      client.call('melody.writeMidi', { libraryId: at.libraryId, notes: scale, beatsPerMinute: 100, file }),
    ).rejects.toMatchObject({ code: 'bad-input' });
    const none = join(testFolder(), 'none.mid');
    await expect(client.call('melody.readMidi', { file: none })).rejects.toMatchObject({
      code: 'unreadable',
    });
    writeFileSync(none, 'no MIDI');
    await expect(client.call('melody.readMidi', { file: none })).rejects.toMatchObject({ code: 'bad-input' });
    writeFileSync(none, new Uint8Array(3 * 2 ** 20));
    await expect(client.call('melody.readMidi', { file: none })).rejects.toMatchObject({ code: 'bad-input' });
    expect(existsSync(file)).toBe(true);
  });
});
