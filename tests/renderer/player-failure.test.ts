import { describe, expect, it } from 'vitest';
import { whyNotPlayed } from '../../renderer/src/player/failure.ts';

describe('why a sound could not be played', () => {
  it('is told in words for every code that Chromium gives, and for none', () => {
    expect([2, 3, 4].map((code) => whyNotPlayed({ code }))).toEqual([
      'it could not be read to its end',
      'the file is damaged',
      'the file could not be opened',
    ]);
    expect(whyNotPlayed({ code: 99 })).toBe('the sound could not be read');
    expect(whyNotPlayed(null)).toBe('the sound could not be read');
  });
});
