import { describe, expect, it } from 'vitest';
import {
  choicesFor,
  firstForm,
  formOf,
  mappingOf,
  missingIn,
  tasksFor,
  testFolderName,
} from '../../renderer/src/evaluate/form.ts';

describe('the form of an evaluation', () => {
  it('reads which label is which', () => {
    expect(mappingOf('La = A, Si=B\nH = B, , nonsense, = C')).toEqual({ La: 'A', Si: 'B', H: 'B' });
    expect(mappingOf('a = b = c')).toEqual({ a: 'b=c' });
    expect(mappingOf('')).toEqual({});
  });

  it('tests on another folder, told apart from one of the same name, and only labels', () => {
    const form = {
      ...firstForm,
      ...{ dataset: 'folders' as const, folder: '/a/notes' },
      testOn: { kind: 'tokens' as const, folder: null, mapping: 'La = A' },
    };
    expect(missingIn(form)).toBe('Choose a folder to test on.');
    const chosen = { ...form, testOn: { ...form.testOn, folder: '/b/notes' } };
    expect(missingIn({ ...chosen, testOn: { ...chosen.testOn, mapping: 'La = A, Si' } })).toBe(
      'Write “Si” as “theirs = ours”.',
    );
    expect(missingIn(chosen)).toBeNull();
    expect(testFolderName(chosen)).toBe('notes (tested)');
    expect(formOf(chosen, null)?.testOn).toEqual({
      sounds: { kind: 'tokens', name: 'notes (tested)' },
      mapping: { La: 'A' },
    });
    expect(formOf({ ...chosen, task: 'mir' }, null)?.testOn).toBeNull();
  });

  it('asks of a data set file nothing that needs sound', () => {
    const form = {
      ...firstForm,
      ...{ dataset: 'file' as const, task: 'multi' as const, spaces: [], layers: true, groups: true },
      ...{ groupBy: 'artist' as const, probes: ['mlknn' as const, 'head' as const] },
    };
    expect(missingIn(form)).toBe('Choose a data set file.');
    expect(tasksFor(form)).not.toContain('mir');
    expect(choicesFor(form).map(({ id }) => id)).not.toContain('head');
    const xml = { ...form, folder: '/data/emotions.arff', labels: 'xml' as const };
    expect(missingIn(xml)).toBe('Choose the XML that names the labels.');
    const chosen = { ...xml, labelsPath: '/data/emotions.xml' };
    expect(missingIn(chosen)).toBeNull();
    expect(formOf(chosen, null)).toMatchObject({
      ...{ groupBy: 'track', groups: false, layers: false, deformations: [], probes: ['mlknn'] },
      ...{ spaces: ['own'], testOn: null },
      dataset: { kind: 'file', name: 'emotions.arff', labels: { xml: 'emotions.xml' } },
    });
    expect(formOf({ ...form, folder: '/d/p.csv', labels: 'last', labelCount: 3 }, null)?.dataset).toEqual({
      ...{ kind: 'file', name: 'p.csv', labels: { last: 3 } },
    });
  });
});
