import { beforeAll, describe, expect, it } from 'vitest';
import { melodiesMethods } from '../../../engine/api/melodies.ts';
import type { Input } from '../../../engine/api/contract.ts';
import { madeUpMelody } from '../../support/made-up-melodies.ts';
import { finished, listen, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { testFolder } from '../../support/music.ts';

describe('melodies of a library', { timeout: 120_000 }, () => {
  let test: TestEngine;
  const folder = testFolder();
  let libraryId: string;

  beforeAll(async () => {
    test = await startTestEngine();
    libraryId = (await test.client.call('libraries.open', { folder })).id;
  });

  const keep = (seed: number, name: string, more: Partial<Input<'melodies.keep'>> = {}) =>
    test.client.call('melodies.keep', {
      ...{ libraryId, name, notes: madeUpMelody(seed), beatsPerMinute: 120, source: 'drawn' },
      ...more,
    });
  const names = async (): Promise<string[]> =>
    (await test.client.call('melodies.list', { libraryId })).map(({ name }) => name);
  async function goOn(more: Partial<Input<'melodies.continue'>> = {}) {
    const { jobId } = await test.client.call('melodies.continue', {
      ...{ libraryId, notes: madeUpMelody(70).slice(0, 8), beatsPerMinute: 120 },
      ...more,
    });
    return (await finished(test.client, jobId, 'continue-melody')).continuation;
  }

  it('are none at first, and nothing is continued by them', async () => {
    expect(await names()).toEqual([]);
    expect(await test.client.call('melodies.learning', { libraryId })).toBeNull();
    await expect(goOn()).rejects.toMatchObject({
      code: 'bad-input',
      message: 'This library keeps no melody to learn from.',
    });
  });

  it('are kept, listed, renamed, removed, brought back, and there after a restart', async () => {
    const changes = listen(test.client);
    const { melody, known } = await keep(1, 'First');
    expect(known).toBe(false);
    expect(melody).toMatchObject({ name: 'First', source: 'drawn', from: null, beatsPerMinute: 120 });
    expect(melody.notes).toBe(madeUpMelody(1).length);
    expect(melody.seconds).toBeGreaterThan(5);
    // The same notes are the same melody; a name that is taken gets a number.
    expect(await keep(1, 'Another name')).toEqual({ melody, known: true });
    const second = (await keep(2, 'First', { source: 'midi', from: 'tune.mid' })).melody;
    expect(second).toMatchObject({ name: 'First (2)', source: 'midi', from: 'tune.mid' });
    expect(await names()).toEqual(['First (2)', 'First']);
    const got = await test.client.call('melodies.get', { libraryId, melodyId: melody.id });
    expect(got).toEqual({ melody, notes: madeUpMelody(1) });

    // With its number, too, a name is one that can be given again.
    const long = (await keep(4, 'x'.repeat(200))).melody;
    const longer = (await keep(5, 'x'.repeat(200))).melody;
    expect(longer.name).toBe(`${'x'.repeat(196)} (2)`);
    const { name } = longer;
    expect(await test.client.call('melodies.rename', { libraryId, melodyId: longer.id, name })).toMatchObject(
      { name },
    );
    await test.client.call('melodies.remove', { libraryId, melodyIds: [long.id, longer.id] });

    const renamed = { libraryId, melodyId: second.id };
    expect(await test.client.call('melodies.rename', { ...renamed, name: ' Second ' })).toMatchObject({
      name: 'Second',
    });
    await expect(test.client.call('melodies.rename', { ...renamed, name: 'First' })).rejects.toMatchObject({
      code: 'bad-input',
    });
    const of = { libraryId, melodyIds: [melody.id] };
    await test.client.call('melodies.remove', of);
    expect(await names()).toEqual(['Second']);
    await expect(test.client.call('melodies.get', { libraryId, melodyId: melody.id })).rejects.toMatchObject({
      code: 'not-found',
    });
    // Another one has its name by the time it comes back.
    await keep(3, 'First');
    await test.client.call('melodies.restore', of);
    expect(await names()).toEqual(['First', 'Second', 'First (2)']);
    await test.client.call('melodies.restore', of);
    const told = (await changes()).filter(
      (event) => event.type === 'library-changed' && event.what === 'melodies',
    );
    expect(told.length).toBeGreaterThanOrEqual(6);

    await test.client.call('melodies.remove', of);
    test = await test.restart();
    await test.client.call('libraries.open', { folder });
    expect(await names()).toEqual(['First', 'Second']);
    // What was removed before is gone for good.
    await expect(test.client.call('melodies.restore', of)).rejects.toMatchObject({ code: 'not-found' });
    await expect(
      test.client.call('melodies.remove', { libraryId, melodyIds: [second.id, 'nobody'] }),
    ).rejects.toMatchObject({ code: 'not-found' });
    expect(await names()).toHaveLength(2);
  });

  it('take no melody that is none', async () => {
    const notes = madeUpMelody(1);
    for (const wrong of [{ notes: [] }, { name: '  ' }, { beatsPerMinute: 0 }, { source: 'heard' as never }])
      await expect(keep(1, 'x', wrong)).rejects.toMatchObject({ code: 'bad-input' });
    const late = notes.map((note) => ({ ...note, onsetSeconds: 599, durationSeconds: 5 }));
    await expect(keep(1, 'x', { notes: late })).rejects.toMatchObject({ code: 'bad-input' });
    expect(
      melodiesMethods['melodies.continue'].input.safeParse({ libraryId, notes, beatsPerMinute: 1 }).success,
    ).toBe(false);
  });

  it('of which there are few give a Markov chain, and say so', async () => {
    const { model, learning, notes } = await goOn();
    expect(model).toBe('markov');
    expect(learning).toMatchObject({ melodies: 2, needed: 10, better: 'markov', figures: null });
    expect(notes.length).toBeGreaterThan(3);
    await expect(goOn({ model: 'lstm' })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('10 different melodies') as unknown,
    });
    // From nothing, and from one note.
    expect((await goOn({ notes: [] })).notes.length).toBeGreaterThan(0);
    expect((await goOn({ notes: madeUpMelody(70).slice(0, 1), bars: 1 })).notes.length).toBeGreaterThan(0);
    // Behind what is there already a melody would be too long.
    const late = { ...madeUpMelody(70)[0], onsetSeconds: 590, durationSeconds: 1 };
    await expect(goOn({ notes: [late as never], bars: 64, beatsPerMinute: 60 })).rejects.toMatchObject({
      code: 'bad-input',
    });
  });

  it('of which there are enough are measured, and the better model continues, the same for the same seed', async () => {
    for (let seed = 10; seed < 26; seed++) await keep(seed, `Melody ${seed}`);
    expect(await test.client.call('melodies.learning', { libraryId })).toBeNull();
    const { model, learning, notes } = await goOn();
    const { figures, better } = learning;
    expect(model).toBe(better);
    expect(learning.melodies).toBe(18);
    const of = (name: 'lstm' | 'markov' | 'unigram' | 'uniform'): number => figures?.[name]?.perNote ?? NaN;
    // Chosen by others than those whose figures are told.
    expect(figures).toMatchObject({ melodies: 4, chosenBy: 4 });
    expect(Math.min(of('lstm'), of('markov'))).toBeLessThan(of('unigram'));
    expect(of('unigram')).toBeLessThan(of('uniform'));
    expect(await test.client.call('melodies.learning', { libraryId })).toEqual(learning);
    expect((await goOn()).notes).toEqual(notes);
    expect((await goOn({ seed: 2 })).notes).not.toEqual(notes);
    expect((await goOn({ model: 'markov' })).model).toBe('markov');
    const long = await goOn({ model: 'lstm', bars: 8 });
    expect(long.model).toBe('lstm');
    expect(long.notes.length).toBeGreaterThan(8);
    // Other melodies, another model; and back.
    const { melody } = await keep(40, 'One more');
    expect(await test.client.call('melodies.learning', { libraryId })).toBeNull();
    await test.client.call('melodies.remove', { libraryId, melodyIds: [melody.id] });
    expect(await test.client.call('melodies.learning', { libraryId })).toEqual(learning);
  });
});
