import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { searchFieldNames, searchNumber, searchValue } from '../../../engine/api/search-fields.ts';
import { parseSearch, placeOfProblem } from '../../../engine/api/search-query.ts';

/** What a search says is wrong with it, and the text that is. */
function problem(search: string): [string, string] {
  try {
    parseSearch(search);
  } catch (thrown) {
    if (!(thrown instanceof EngineError)) throw thrown;
    const place = placeOfProblem(thrown);
    expect(thrown.code).toBe('bad-input');
    expect(thrown.hint).not.toBe('');
    return [thrown.message, place ? search.slice(place.start, place.end) : 'nowhere'];
  }
  throw new Error(`“${search}” is read`);
}

describe('the language of searches', () => {
  it('reads words, phrases, fields, numbers and what is turned round', () => {
    const terms = parseSearch(
      'label:bd,"b d",s* pred:elec -loop p<50% len>1:30 split:TEST -artist="Björk" "a b"',
    );
    expect(terms).toMatchObject([
      {
        ...{ kind: 'name', field: 'label', negated: false, start: 0, end: 17 },
        values: [
          { text: 'bd', quoted: false },
          { text: 'b d', quoted: true },
          { text: 's*', quoted: false },
        ],
      },
      { kind: 'name', field: 'pred', values: [{ text: 'elec' }] },
      { kind: 'words', text: 'loop', negated: true },
      { kind: 'number', field: 'p', comparison: '<', value: 0.5 },
      { kind: 'number', field: 'len', comparison: '>', value: 90 },
      { kind: 'choice', field: 'split', values: ['test'] },
      { kind: 'text', field: 'artist', whole: true, negated: true, values: [{ text: 'Björk' }] },
      { kind: 'words', text: 'a b' },
    ]);
    expect(parseSearch('year:1990..1980 P:<=.25 Path:x windows=3')).toMatchObject([
      { kind: 'range', field: 'year', low: 1980, high: 1990 },
      { kind: 'number', field: 'p', comparison: '<=', value: 0.25 },
      { kind: 'text', field: 'file' },
      { kind: 'number', field: 'windows', comparison: '=', value: 3 },
    ]);
  });

  it('takes for words what is no field', () => {
    const words = ['12:30', '-', 'a"b', 'what’s', '(live)', '%', '100%', 'c:\\x'.slice(2)];
    for (const text of words) expect(parseSearch(text), text).toMatchObject([{ kind: 'words', text }]);
    expect(parseSearch('   ')).toEqual([]);
  });

  it('says what is wrong, and where', () => {
    expect(problem('kick lable:bd')).toEqual(['There is no field “lable”.', 'lable']);
    expect(problem('p<2')).toEqual(['“p” is at most 1, or 100 %.', '2']);
    expect(problem('len<long')).toEqual(['“long” is no number.', 'long']);
    expect(problem('year>5%')).toEqual(['“5%” is no number.', '5%']);
    expect(problem('split:train,tset')).toEqual(['“split” is never “tset”.', 'tset']);
    expect(problem('label<3')).toEqual(['“label” cannot be compared with <: it is no number.', 'label<']);
    expect(problem('label:')).toEqual(['A value is missing after “label”.', '']);
    expect(problem('label:a, b')).toEqual(['A value is missing after “label”.', '']);
    expect(problem('artist:"x y')).toEqual(['A quote is not closed.', '"x y']);
  });

  it('writes numbers as people do', () => {
    expect(['0.5', '.5', '50%', '1:02:03', '250ms', '2min', '1:5', '5%', 'x', ''].map((text) => searchNumber(text, 'seconds'))).toEqual([0.5, 0.5, null, 3723, 0.25, 120, null, null, null, null]); // prettier-ignore
    expect(searchNumber('5%', 'share')).toBe(0.05);
  });

  it('reads any text without end or fault, and every value back as it was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        try {
          const terms = parseSearch(text);
          for (const { start, end } of terms) expect(end).toBeGreaterThan(start);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(EngineError);
        }
      }),
    );
    const value = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(value, value, (one, two) => {
        const [term] = parseSearch(`label:${searchValue(one)},${searchValue(two)}`);
        expect(term).toMatchObject({ values: [{ text: one }, { text: two }] });
      }),
    );
    fc.assert(
      fc.property(value, (name) => {
        expect(parseSearch(`tag:${searchValue(name)}>=0.5`)).toMatchObject([
          { kind: 'tag', values: [{ text: name }], mean: { comparison: '>=', value: 0.5 } },
        ]);
      }),
    );
    for (const field of searchFieldNames) expect(field).toMatch(/^[a-z]+$/);
  });
});
