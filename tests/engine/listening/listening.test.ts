import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ListeningRound, ListeningTest } from '../../../engine/api/listening.ts';
import { drawRounds } from '../../../engine/listening/draw.ts';
import { scoresOf } from '../../../engine/listening/score.ts';
import { testFolder } from '../../support/music.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

describe('a blind listening test', () => {
  let lib: TrainedLibrary;
  let at: { libraryId: string; experimentId: string };

  beforeAll(async () => {
    lib = await trainedLibrary({ perClass: 5 });
    at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
  });

  const start = (
    options: {
      seed?: number;
      classRounds?: number;
      realRounds?: number;
      abxRounds?: number;
      choices?: number;
    } = {},
  ) =>
    lib.test.client.call('listening.start', {
      ...at,
      classRounds: 6,
      realRounds: 3,
      abxRounds: 2,
      choices: 3,
      ...options,
    });
  const answer = ({ summary }: ListeningTest, round: number, text: string) =>
    lib.test.client.call('listening.answer', {
      libraryId: at.libraryId,
      testId: summary.id,
      round,
      answer: text,
    });

  it('asks every class as often, offers the true one among others, and asks the same by the same seed', async () => {
    const { questions, summary } = await start();
    const classes = questions.filter(({ kind }) => kind === 'class');
    expect(classes.map((round) => round.class).sort()).toEqual([
      'bass',
      'bass',
      'high',
      'high',
      'mid',
      'mid',
    ]);
    for (const round of questions)
      if (round.kind === 'class') {
        expect(new Set(round.choices).size).toBe(3);
        expect(round.choices).toContain(round.class);
      } else expect(round.excerpt.path).toMatch(/\.wav$/);
    expect((await start()).questions).toEqual(questions);
    expect((await start({ seed: 2 })).questions).not.toEqual(questions);
    expect(summary).toMatchObject({ revision: 1, rounds: 11, answered: 0, finishedAt: null });
    expect(summary.settings.steps).toBeGreaterThan(0);
  });

  it('keeps answers, counts them with an interval, and writes them with what was heard', async () => {
    const { client } = lib.test;
    let test = await start({ seed: 5 });
    for (const [place, round] of test.questions.entries()) {
      const wrong = round.kind === 'class' ? (round.choices.find((c) => c !== round.class) ?? '') : 'first';
      const right = {
        class: round.class,
        real: 'real' in round ? round.real : '',
        abx: 'x' in round ? round.x : '',
      };
      test = await answer(test, place, place === 0 ? wrong : right[round.kind]);
    }
    const { summary } = await client.call('listening.get', {
      libraryId: at.libraryId,
      testId: test.summary.id,
    });
    expect(summary.answered).toBe(11);
    expect(summary.finishedAt).not.toBeNull();
    const [all] = summary.scores;
    expect(all).toMatchObject({ kind: 'class', class: null, answered: 6, right: 5, chance: 1 / 3 });
    expect(all?.low).toBeLessThan(5 / 6);
    expect(all?.high).toBeGreaterThan(5 / 6);
    for (const [kind, count] of [
      ['real', 3],
      ['abx', 2],
    ] as const)
      expect(summary.scores.find((score) => score.kind === kind)).toMatchObject({
        ...{ class: null, answered: count, right: count, chance: 1 / 2 },
      });
    await expect(answer(test, 0, 'bass')).rejects.toMatchObject({ code: 'bad-input' });
    await expect(answer(test, 99, 'bass')).rejects.toMatchObject({ code: 'not-found' });

    const [newest] = await client.call('listening.list', { libraryId: at.libraryId });
    expect(newest?.id).toBe(summary.id);
    const path = join(testFolder(), 'answers.csv');
    const { rows } = await client.call('listening.export', { libraryId: at.libraryId, what: 'rounds', path });
    const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/);
    expect(lines).toHaveLength(rows + 1);
    expect(lines[0]).toContain('pack_sha256');
    expect(lines[1]).toContain(lib.experiment.space.packSha256);
    await expect(
      client.call('listening.export', { libraryId: at.libraryId, what: 'scores', path }),
    ).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('refuses answers that were not offered, and a test that asks nothing', async () => {
    const test = await start();
    await expect(answer(test, 0, 'trombone')).rejects.toMatchObject({ code: 'bad-input' });
    await expect(start({ classRounds: 0, realRounds: 0, abxRounds: 0 })).rejects.toMatchObject({
      code: 'bad-input',
    });
    await lib.test.client.call('listening.remove', { libraryId: at.libraryId, testId: test.summary.id });
    await expect(answer(test, 0, 'bass')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('questions', () => {
  const drawable = {
    classes: ['a', 'b', 'c'],
    // The third class has no prototype left.
    network: { prototypeCount: 4, classOf: (k: number) => k % 2 },
    excerptOf: () => null,
  };

  it('are not asked about a class without prototypes, nor about excerpts that are not there', () => {
    const rounds = drawRounds(drawable, { seed: 1, classRounds: 8, realRounds: 8, abxRounds: 8, choices: 6 });
    expect(rounds).toHaveLength(8);
    expect(new Set(rounds.map((round) => round.class))).toEqual(new Set(['a', 'b']));
    for (const round of rounds) {
      expect(drawable.network.classOf(round.index)).toBe(drawable.classes.indexOf(round.class));
      if (round.kind === 'class') expect(round.choices).toHaveLength(3);
    }
  });

  it('of ABX give X as either sound, whichever of them is real', () => {
    const excerpt = { trackId: 'T', path: 'a.wav', windowIndex: 0, startSeconds: 0 };
    const rounds = drawRounds(
      { ...drawable, excerptOf: () => excerpt },
      { seed: 1, classRounds: 0, realRounds: 0, abxRounds: 40, choices: 2 },
    );
    const seen = rounds.map((round) => (round.kind === 'abx' ? `${round.real} ${round.x}` : ''));
    expect([...new Set(seen)].sort()).toEqual([
      'first first',
      'first second',
      'second first',
      'second second',
    ]);
    // Right is what X was, not what is real.
    const answered = rounds.map((round) => (round.kind === 'abx' ? { ...round, answer: round.x } : round));
    expect(scoresOf(answered)[0]).toMatchObject({ kind: 'abx', right: 40, answered: 40 });
    const real = rounds.map((round) => (round.kind === 'abx' ? { ...round, answer: round.real } : round));
    expect(scoresOf(real)[0]?.right).toBeLessThan(40);
  });

  it('are right by what is true, and chance is that of the choices', () => {
    const rounds: ListeningRound[] = [
      { kind: 'class', index: 0, class: 'a', choices: ['a', 'b', 'c', 'd'], answer: 'a' },
      { kind: 'class', index: 1, class: 'b', choices: ['a', 'b'], answer: null },
    ];
    const [all, a, b] = scoresOf(rounds);
    expect(all).toMatchObject({ answered: 1, right: 1, share: 1, chance: 0.375 });
    expect(a).toMatchObject({ class: 'a', answered: 1, chance: 0.25 });
    expect(b).toMatchObject({ class: 'b', answered: 0, share: null, low: 0, high: 1 });
  });
});
