import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DecodedTracks, type DecodedTrack } from '../../../engine/import/decoded-tracks.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const track = { id: 'a', path: '/music/a.wav', contentHash: 'c', durationSeconds: 1 };
const as = { sampleRate: 8, windowSamples: 4, windows: 'all' as const };
const decoded: DecodedTrack = {
  samples: 7,
  notes: ['cut'],
  wanted: [0, 1],
  windows: [0, 1].map((index) => ({
    index,
    startSample: 4 * index,
    validSamples: 4 - index,
    samples: Float32Array.of(index, 0.25, -0.5, 1),
  })),
  peaks: Float32Array.of(-1, 1),
};

it('gives back what was put, of the same content only', async () => {
  const folder = await temporaryFolder();
  new DecodedTracks(folder, as).put(track, decoded);
  const later = new DecodedTracks(folder, as);
  expect(later.take(track)).toEqual(decoded);
  expect(later.take({ ...track, contentHash: 'other' })).toBeNull();
  expect(new DecodedTracks(folder, { ...as, windows: 1 }).take(track)).toBeNull();
  later.drop(track);
  expect(later.take(track)).toBeNull();
});

it('passes over a file whose numbers a power cut left as zeros', async () => {
  const folder = await temporaryFolder();
  const kept = new DecodedTracks(folder, as);
  kept.put(track, decoded);
  const file = join(folder, 'decoded', 'a.f32');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0, bytes.length - 8));
  expect(kept.take(track)).toBeNull();
});

it('does not end an import whose files cannot be written or removed', async () => {
  const folder = await temporaryFolder();
  // A file in the place of the folder, and a folder in the place of the file.
  writeFileSync(join(folder, 'decoded'), '');
  const kept = new DecodedTracks(folder, as);
  kept.put(track, decoded);
  kept.drop(track);
  kept.clear();
  mkdirSync(join(folder, 'decoded', 'a.f32'), { recursive: true });
  kept.put(track, decoded);
  kept.drop(track);
  expect(kept.take(track)).toBeNull();
});
