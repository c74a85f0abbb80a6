// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { ColumnChoice } from '../../renderer/src/library/column-choice.svelte.ts';
import {
  columns,
  fitting,
  leastWidth,
  moved,
  shownColumns,
  sized,
  tagKey,
  tagsShown,
  toggled,
} from '../../renderer/src/library/columns.ts';
import { tagColumnSources } from '../../renderer/src/player/taggers.ts';
import type { ChosenColumns } from '../../renderer/src/library/columns.ts';

const keys = (list: readonly { key: string }[]): string[] => list.map(({ key }) => key);

describe('columns of the library', () => {
  beforeEach(() => localStorage.clear());

  it('may be tags, which stand behind what experiments say and come back', () => {
    const [rock, calm] = [tagKey('musicnn/rock'), tagKey('effnet#mood/non/calm')];
    let list = toggled(toggled(fitting(900, false), rock), calm);
    expect(keys(list).slice(3, 8)).toEqual(['prediction', 'probability', rock, calm, 'artist']);
    expect(tagsShown(list)).toEqual(['musicnn/rock', 'effnet#mood/non/calm']);
    const column = shownColumns(list, 900, false).find(({ key }) => key === calm);
    expect(column).toMatchObject({
      title: 'non/calm',
      sort: 'tag',
      tag: 'effnet#mood/non/calm',
      number: true,
    });
    new ColumnChoice('L1').choose(list);
    expect(tagsShown(new ColumnChoice('L1').chosen)).toEqual(['musicnn/rock', 'effnet#mood/non/calm']);
    expect(new ColumnChoice('L2').chosen).toBeNull();
    list = toggled(list, rock);
    expect(tagsShown(list)).toEqual(['effnet#mood/non/calm']);
    localStorage.setItem('archetone.columns.L1', '[{"key":"tag:nothing","width":null}]');
    expect(new ColumnChoice('L1').chosen).toBeNull();
  });

  it('have a place for each class of a tagger that has a name of its own', () => {
    const kept = { packId: 'p', headId: null, title: 'P', positive: null, tracks: 1 };
    const [source] = tagColumnSources([], [{ ...kept, classes: ['rock', '', 'rock', ' ', 'calm'] }]);
    expect(source).toMatchObject({ classes: ['rock', 'calm'], installed: false });
  });

  it('are those that fit, unless they were chosen', () => {
    expect(keys(shownColumns(null, 500, false))).toEqual([
      'state',
      'title',
      'label',
      'prediction',
      'duration',
    ]);
    expect(keys(shownColumns(null, 900, false))).toContain('artist');
    const chosen: ChosenColumns = [
      { key: 'year', width: null },
      { key: 'name', width: 300 },
      { key: 'album', width: null },
    ];
    const shown = shownColumns(chosen, 200, false);
    expect(shown.map(({ key, track }) => [key, track])).toEqual([
      ['year', '56px'],
      ['name', '300px'],
      ['album', 'minmax(80px, 1fr)'],
    ]);
    expect(leastWidth(shown)).toBe(56 + 300 + 80 + 8);
  });

  it('come and go, are moved and sized, and one always stays', () => {
    const list = fitting(900, false);
    const more = toggled(list, 'genre');
    // Where it stands by itself: after the artist, before the file.
    expect(keys(more).slice(keys(more).indexOf('artist'))).toEqual([
      'artist',
      'genre',
      'path',
      'duration',
      'windows',
    ]);
    expect(toggled(more, 'genre')).toEqual(list);
    const all = columns.reduce(
      (so, { key }) => (so.some((one) => one.key === key) ? so : toggled(so, key)),
      list,
    );
    expect(keys(all)).toEqual(keys(columns));
    const one: ChosenColumns = [{ key: 'title', width: null }];
    expect(toggled(one, 'title')).toBe(one);

    expect(keys(moved(list, 'title', 1)).slice(0, 3)).toEqual(['state', 'label', 'title']);
    expect(moved(list, 'state', -1)).toBe(list);
    expect(moved(list, 'windows', 1)).toBe(list);
    const width = (px: number | null) => sized(list, 'title', px).find(({ key }) => key === 'title')?.width;
    expect([width(200.4), width(1), width(1e6), width(null)]).toEqual([200, 24, 2000, null]);
  });

  it('are kept for their library alone, and forgotten where they make no sense', () => {
    const list: ChosenColumns = [{ key: 'split', width: 90 }];
    new ColumnChoice('one').choose(list);
    expect(new ColumnChoice('one').chosen).toEqual(list);
    expect(new ColumnChoice('two').chosen).toBeNull();
    new ColumnChoice('one').choose(null);
    expect(new ColumnChoice('one').chosen).toBeNull();
    for (const kept of ['{', '[]', '[{"key":"nothing","width":null}]', '[{"key":"title","width":1e9}]']) {
      localStorage.setItem('archetone.columns.one', kept);
      expect(new ColumnChoice('one').chosen, kept).toBeNull();
    }
  });
});
