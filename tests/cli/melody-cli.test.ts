import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { readMidi, writeMidiFile } from '../../models/melody/midi.ts';
import { bundled } from '../support/bundles.ts';
import { runCli, type CliRun } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';
import { madeUpMelody } from '../support/made-up-melodies.ts';

const limits = { notes: 5000, seconds: 600 };
const codeOf = (run: CliRun): string => (run.json() as { error: { code: string } }).error.code;

describe('archetone melody', { timeout: 300_000 }, () => {
  const folder = testFolder();
  const library = join(folder, 'library');
  const at = (name: string): string => join(folder, name);
  const melody = (...more: string[]) => runCli(['melody', ...more, '--json']);

  beforeAll(async () => {
    const music = testFolder();
    // The bundle of the tests lies where no network is beside it.
    const beside = join(dirname(await bundled('cli/main.ts')), 'basic-pitch');
    cpSync(join(import.meta.dirname, '../../models/melody/basic-pitch'), beside, { recursive: true });
    const samples = new Float32Array(3 * 22_050);
    for (const [i, pitch] of [60, 64, 67].entries())
      for (let n = 0; n < 18_000; n++) {
        const t = n / 22_050;
        const phase = 2 * Math.PI * 440 * 2 ** ((pitch - 69) / 12) * t;
        samples[i * 20_000 + n] = 0.3 * Math.exp(-2 * t) * (Math.sin(phase) + 0.3 * Math.sin(2 * phase));
      }
    writeFileSync(join(music, 'tune.wav'), encodeWav(samples, 22_050, 'pcm16'));
    const imported = await runCli(['import', music, '--library', library, '--json']);
    expect(imported.code, imported.stderr).toBe(0);
    for (const seed of [1, 2, 3, 4])
      writeFileSync(at(`tune ${seed}.mid`), writeMidiFile(madeUpMelody(seed), 120));
    writeFileSync(at('none.mid'), 'no MIDI');
  });

  it('keeps melodies of MIDI files and tracks, lists, renames, writes and deletes them', async () => {
    const none = await melody('continue', library, '--out', at('x.mid'));
    expect(codeOf(none)).toBe('bad-input');
    expect(existsSync(at('x.mid'))).toBe(false);
    const files = [1, 2, 3, 4].map((seed) => at(`tune ${seed}.mid`));
    const added = await melody('add', library, ...files, at('none.mid'), at('gone.mid'));
    expect(added.code, added.stderr).toBe(0);
    expect(added.json()).toMatchObject({
      added: files.map((_, i) => ({ name: `tune ${i + 1}`, source: 'midi', from: `tune ${i + 1}.mid` })),
      known: [],
      problems: [{ file: at('none.mid') }, { file: at('gone.mid') }],
    });
    expect((await melody('add', library, files[0] ?? '')).json()).toMatchObject({ added: [], known: [{}] });
    expect(codeOf(await melody('add', library, at('none.mid')))).toBe('bad-input');

    const out = at('heard.mid');
    const heard = await melody('transcribe', library, 'tune.wav', '--name', 'Heard', '--out', out);
    expect(heard.code, heard.stderr).toBe(0);
    // Three notes are no pulse: that is said, in the file as well.
    const untimed = { name: 'Heard', source: 'track', from: 'tune', beatsPerMinute: null };
    expect(heard.json()).toMatchObject({ melody: untimed, beatsPerMinute: null });
    expect(readFileSync(out, 'latin1')).toContain('No tempo');
    expect(readMidi(readFileSync(out), limits).notes.map(({ midiPitch }) => midiPitch)).toEqual([60, 64, 67]);
    expect(codeOf(await melody('transcribe', library, 'another.wav'))).toBe('not-found');

    expect((await melody('rename', library, 'Heard', 'Theme')).code).toBe(0);
    expect(codeOf(await melody('rename', library, 'Theme', 'tune 1'))).toBe('bad-input');
    expect(codeOf(await melody('export', library, 'nobody', '--out', folder))).toBe('not-found');
    const exported = await melody('export', library, 'Theme', 'tune 2', '--out', join(folder, 'written'));
    expect(exported.code, exported.stderr).toBe(0);
    expect(readMidi(readFileSync(join(folder, 'written', 'tune 2.mid')), limits).notes).toHaveLength(
      madeUpMelody(2).length,
    );
    expect((await melody('rename', library, 'tune 2', 'theme')).code).toBe(0);
    const alike = await melody('export', library, 'Theme', 'theme', '--out', join(folder, 'alike'));
    expect(alike.json()).toEqual({
      files: ['Theme.mid', 'theme (2).mid'].map((name) => join(folder, 'alike', name)),
    });
    expect((await melody('rename', library, 'theme', 'tune 2')).code).toBe(0);
    expect((await melody('remove', library, 'tune 4')).code).toBe(0);
    const { melodies } = (await melody('list', library)).json() as { melodies: { name: string }[] };
    expect(melodies.map(({ name }) => name)).toEqual(['Theme', 'tune 3', 'tune 2', 'tune 1']);
    expect((await runCli(['melody', 'list', library])).stdout).toContain('Theme');
  });

  it('continues a melody, and says by what', async () => {
    const go = (out: string, ...more: string[]) =>
      melody('continue', library, '--melody', 'tune 1', '--bars', '2', '--out', at(out), ...more);
    const run = await go('longer.mid', '--keep', 'Longer');
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({
      model: 'markov',
      learning: { melodies: 4, needed: 10, better: 'markov', figures: { lstm: null } },
      kept: { name: 'Longer' },
    });
    const before = madeUpMelody(1);
    const { notes } = readMidi(readFileSync(at('longer.mid')), limits);
    expect(notes.length).toBeGreaterThan(before.length);
    expect(notes.slice(0, before.length).map(({ midiPitch }) => midiPitch)).toEqual(
      before.map(({ midiPitch }) => midiPitch),
    );
    // What is there already stays; too few for an LSTM is said.
    expect(codeOf(await go('longer.mid'))).toBe('bad-input');
    expect(codeOf(await go('lstm.mid', '--model', 'lstm'))).toBe('bad-input');
    const begun = await runCli([...['melody', 'continue', library, '--bars', '1', '--out', at('begun.mid')]]);
    expect(begun.code, begun.stderr).toBe(0);
    expect(begun.stdout).toContain('by the Markov chain');
    expect(begun.stdout).toContain('An LSTM is learned from 10 or more');
  });
});
