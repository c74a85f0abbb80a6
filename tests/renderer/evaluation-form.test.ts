import { describe, expect, it } from 'vitest';
import { firstForm, formOf, mappingOf, missingIn, testFolderName } from '../../renderer/src/evaluate/form.ts';

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
});
