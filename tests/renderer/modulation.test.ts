// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/api/errors.ts';
import { reportVerdict, type ModulationChoiceInput } from '../../engine/api/modulation.ts';
import type { Job } from '../../engine/api/jobs.ts';
import Combobox from '../../renderer/src/ui/Combobox.svelte';
import ModulationMap from '../../renderer/src/modulation/ModulationMap.svelte';
import {
  between,
  choiceText,
  difference,
  lookedAt,
  scaleOf,
  valuesOf,
} from '../../renderer/src/modulation/maps.ts';
import { ModulationMaps } from '../../renderer/src/modulation/modulation.svelte.ts';
import type { PlayerSource } from '../../renderer/src/player/sources.ts';
import { FakeEngine, fullAnswers, job, modulationMap } from './fake.ts';

afterEach(cleanup);

const source: PlayerSource = {
  ...{ key: 'track:T', kind: 'track', trackId: 'T', soundId: null, prototype: null },
  ...{ title: 'Oboe', subtitle: 'a/oboe.wav', url: '', peaks: null, durationSeconds: 9 },
};

describe('what is looked at', () => {
  it('is what plays, and of it what is selected', () => {
    expect(lookedAt(source, null)?.of).toEqual({
      kind: 'track',
      trackId: 'T',
      startSeconds: 0,
      endSeconds: null,
    });
    const part = lookedAt(source, { start: 1, end: 2.5 });
    expect(part?.of).toMatchObject({ startSeconds: 1, endSeconds: 2.5 });
    expect(part?.title).toMatch(/^Oboe, 0:01\.0–0:02\.5$/);
    expect(lookedAt({ ...source, kind: 'sonification', trackId: null, soundId: 'S' }, null)?.of).toEqual({
      kind: 'sound',
      soundId: 'S',
    });
    expect(lookedAt({ ...source, kind: 'modulation', trackId: null }, null)).toBeNull();
  });
});

describe('values of maps', () => {
  it('are depths, depths weighted by levels, and differences of what both can show', () => {
    const map = modulationMap(0.5);
    expect(valuesOf(map, 'strength')[9 * 8 + 4]).toBeCloseTo(0.5);
    expect(valuesOf(map, 'strength')[4]).toBeCloseTo(0.05);
    const apart = difference(map, { ...modulationMap(0.2), slowest: 5 }, 'depth');
    expect(apart[4]).toBe(0);
    expect(difference(map, modulationMap(0.2), 'depth')[4]).toBeCloseTo(0.3);
    expect(scaleOf([[0.3, -0.6]])).toBe(0.7);
    expect(scaleOf([[]])).toBe(0.02);
    expect(choiceText(between({ band: 9, rate: 5 }, { band: 4, rate: 4 }), map)).toBe(
      'Bands of 500 Hz – 1.0 kHz, modulations of 8 Hz – 16 Hz',
    );
  });
});

describe('a drawn map', () => {
  it('tells its cells to keys, and chooses with Shift', async () => {
    const chosen: Omit<ModulationChoiceInput, 'mode'>[] = [];
    const map = modulationMap(0.5);
    render(ModulationMap, {
      ...{ title: 'Oboe', map, values: map.depth, most: 1, slowest: 1, choice: null, testid: 'm' },
      onChoose: (choice: Omit<ModulationChoiceInput, 'mode'>) => chosen.push(choice),
    });
    const drawing = screen.getByRole('application');
    const press = (key: string, shiftKey = false) => fireEvent.keyDown(drawing, { key, shiftKey });
    await press('ArrowUp');
    expect(screen.getByTestId('m-value').textContent).toContain('too slow');
    for (let i = 0; i < 4; i++) await press('ArrowRight');
    expect(screen.getByTestId('m-value').textContent).toBe('200 Hz × 8 Hz: 0.500, band −20.0 dB');
    await press('Enter');
    await press('ArrowUp', true);
    await press('ArrowRight', true);
    expect(chosen.at(0)).toEqual({ carriers: { first: 1, last: 1 }, rates: { first: 4, last: 4 } });
    expect(chosen.at(-1)).toEqual({ carriers: { first: 1, last: 2 }, rates: { first: 4, last: 5 } });
  });
});

describe('the maps of a library', () => {
  const looked = { of: { kind: 'track', trackId: 'T' }, title: 'Oboe' } as const;
  const maps = (engine: FakeEngine, wait: (id: string) => Promise<Job>, cancelled: string[] = []) =>
    new ModulationMaps('L', engine, wait, (id) => Promise.resolve(cancelled.push(id)));
  const never = () => new Promise<Job>(() => undefined);

  it('show what went wrong, and forget it when something else is looked at', async () => {
    let fails = true;
    const modulation = maps(
      new FakeEngine({
        ...fullAnswers,
        'modulation.map': () => {
          if (fails) throw new EngineError('unreadable', 'It is gone.');
          return modulationMap(0.1);
        },
      }),
      never,
    );
    await modulation.look(looked);
    expect(modulation.problem?.message).toBe('It is gone.');
    fails = false;
    await modulation.look({ ...looked, title: 'Oboe again' });
    expect(modulation.problem).toBeNull();
    expect(modulation.own?.title).toBe('Oboe again');
    // The map of what was there before is none of what failed.
    fails = true;
    await modulation.look({ ...looked, title: 'Gone' });
    expect(modulation.own).toBeNull();
  });

  it('cancel what is computed for a comparison that nobody wants any more', async () => {
    const cancelled: string[] = [];
    const modulation = maps(
      new FakeEngine({ ...fullAnswers, 'modulation.classMap': () => ({ jobId: 'J' }) }),
      never,
      cancelled,
    );
    void modulation.compare({ kind: 'class', taxonomyId: 'X', name: 'oboe' });
    await expect.poll(() => modulation.working).toContain('oboe');
    await new Promise((resolve) => setTimeout(resolve));
    modulation.stop();
    expect(cancelled).toEqual(['J']);
    expect(modulation.working).toBe('');
    expect(modulation.other).toBeNull();
  });

  it.each(['embedded', 'cancelled'])(
    'tell of filters as a space once the library is %s, not before',
    async (end) => {
      const pack = { packId: 'modulation-1', title: 'Mine', dim: 16 };
      let settle = (): void => undefined;
      const embedding = new Promise<Job>((resolve, reject) => {
        settle =
          end === 'embedded'
            ? () => resolve(job())
            : () => reject(new EngineError('cancelled', 'Cancelled.'));
      });
      const engine = new FakeEngine({ ...fullAnswers, 'modulation.keep': () => pack });
      const modulation = maps(engine, () => embedding);
      const keeping = modulation.keep('J', 'Mine').catch(() => null);
      await new Promise((resolve) => setTimeout(resolve));
      expect(modulation.kept).toBeNull();
      settle();
      await keeping;
      expect(modulation.kept).toMatchObject({ ...pack, jobId: 'J' });
    },
  );

  it('make the sound of a prototype first', async () => {
    const asked: unknown[] = [];
    const modulation = maps(
      new FakeEngine({
        ...fullAnswers,
        'modulation.map': ({ of }: { of: unknown }) => {
          asked.push(of);
          return modulationMap(0.1);
        },
      }),
      never,
    );
    await modulation.compare({ kind: 'prototype', index: 2 });
    expect(modulation.other).toBeNull();
    modulation.attach((index) => Promise.resolve({ soundId: `S${String(index)}`, title: 'a prototype' }));
    await expect.poll(() => modulation.other?.title).toBe('a prototype');
    expect(asked).toEqual([{ kind: 'sound', soundId: 'S2' }]);
  });
});

describe('a field that finds one of many', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({
    ...{ id: `p${String(i)}`, title: `flute · prototype ${String(i)}`, about: 'sonified' },
  }));
  const setUp = () => {
    const picked: string[] = [];
    render(Combobox, {
      ...{
        label: 'Compare with',
        choices: [{ id: 'c', title: 'Mean of oboe', about: '40 tracks' }, ...many],
      },
      ...{ chosen: 'nothing', testid: 'f', onPick: (id: string) => picked.push(id) },
    });
    const field = screen.getByTestId<HTMLInputElement>('f');
    const titles = (): (string | null)[] =>
      screen.queryAllByTestId('f-option').map((option) => option.textContent);
    return { picked, field, titles };
  };

  it('offers some, finds by parts of names in any order, and picks by keys', async () => {
    const { picked, field, titles } = setUp();
    expect([field.value, titles()]).toEqual(['nothing', []]);
    await fireEvent.focus(field);
    expect(titles()).toHaveLength(50);
    expect(screen.getByText('951 more: write a part of the name.')).toBeTruthy();
    await fireEvent.input(field, { target: { value: '999 FLUTE' } });
    expect(titles()).toEqual(['flute · prototype 999 sonified']);
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(picked).toEqual(['p999']);
    expect([field.value, titles()]).toEqual(['nothing', []]);
  });

  it('goes through what is offered, says when there is none, and leaves all as it was on Escape', async () => {
    const { picked, field, titles } = setUp();
    await fireEvent.focus(field);
    await fireEvent.input(field, { target: { value: 'prototype 10' } });
    await fireEvent.keyDown(field, { key: 'ArrowDown' });
    const active = field.getAttribute('aria-activedescendant') ?? '';
    expect(document.getElementById(active)?.textContent).toContain('prototype 100');
    await fireEvent.input(field, { target: { value: 'tuba' } });
    expect(screen.getByText('Nothing is called “tuba”.')).toBeTruthy();
    await fireEvent.keyDown(field, { key: 'Enter' });
    await fireEvent.keyDown(field, { key: 'Escape' });
    expect([picked, field.value, titles()]).toEqual([[], 'nothing', []]);
    await fireEvent.keyDown(field, { key: 'ArrowDown' });
    await fireEvent.click(screen.getByText('Mean of oboe'));
    expect(picked).toEqual(['c']);
  });
});

describe('what learned filters are worth', () => {
  const figure = (mean: number) => ({ mean, low: mean - 0.05, high: mean + 0.05 });
  it.each([
    [2, 0.3, 0.3, 'Cannot tell anything by 2 splits'],
    [5, 0.3, 0.02, 'filters learned from permuted labels do as well'],
    [5, 0.1, 0.3, 'better than fixed octaves'],
    [5, -0.1, 0.3, 'worse than fixed octaves'],
    [5, 0, 0.3, 'cannot tell whether'],
  ])('of %i splits, %f over fixed and %f over permuted', (splits, fixed, permuted, words) => {
    const gain = { fixed: figure(fixed), permuted: figure(permuted) };
    expect(reportVerdict({ splits, gain })).toContain(words);
  });
});
