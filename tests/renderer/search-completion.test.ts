import { describe, expect, it } from 'vitest';
import {
  chipsOf,
  complete,
  fieldCompletions,
  placeAt,
  withoutTerm,
} from '../../renderer/src/library/search-completion.ts';

/** What is being written where the bar stands. */
const at = (marked: string): ReturnType<typeof placeAt> =>
  placeAt(marked.replace('|', ''), marked.indexOf('|'));

describe('completion of a search', () => {
  it('knows what is being written at the caret', () => {
    expect(at('la|')).toEqual({ field: null, partial: 'la', start: 0, end: 2 });
    expect(at('kick -la|')).toEqual({ field: null, partial: 'la', start: 6, end: 8 });
    expect(at('label:b|')).toEqual({ field: 'label', partial: 'b', start: 6, end: 7 });
    expect(at('label:b,"snare d| x')).toEqual({ field: 'label', partial: 'snare d', start: 8, end: 16 });
    expect(at('-predicted:a,|')).toEqual({ field: 'pred', partial: '', start: 13, end: 13 });
    expect(at('artist:"a \\"b|')).toMatchObject({ field: 'artist', partial: 'a "b' });
    expect(at('tag:fem|')).toMatchObject({ field: 'tag', partial: 'fem' });
    expect(at('p<0.|')).toBeNull();
    expect(at('foo:x|')).toBeNull();
    expect(at('"label:|')).toBeNull();
    expect(at('|')).toEqual({ field: null, partial: '', start: 0, end: 0 });
  });

  it('offers fields by their beginning, and writes what was picked', () => {
    expect(fieldCompletions('s').map(({ text }) => text)).toEqual(['set:', 'second:', 'split:', 'state:']);
    expect(fieldCompletions('p').map(({ text }) => text)).toEqual(['pred:']);
    expect(fieldCompletions('le').map(({ text }) => text)).toEqual(['len<']);
    const label = at('kick la|');
    if (!label) throw new Error('nothing is written');
    expect(complete('kick la', label, 'label:')).toEqual({ search: 'kick label:', caret: 11 });
    const value = at('label:s|');
    if (!value) throw new Error('nothing is written');
    expect(complete('label:s', value, '"snare d"')).toEqual({ search: 'label:"snare d" ', caret: 16 });
    expect(complete('label:s len<1', value, 'sd')).toEqual({ search: 'label:sd len<1', caret: 8 });
  });

  it('stands for the terms of a search as chips, each of which can go', () => {
    const search = 'kick label:bd,"s d" -loop p<0.5';
    expect(chipsOf(search).map(({ text }) => text)).toEqual(['label:bd,"s d"', '-loop', 'p<0.5']);
    const [label] = chipsOf(search);
    if (!label) throw new Error('no chip');
    expect(withoutTerm(search, label.term)).toBe('kick -loop p<0.5');
    expect(chipsOf('label:')).toEqual([]);
  });
});
