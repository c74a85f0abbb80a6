import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LibraryCatalogue } from '../../engine/library/libraries.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import { testFolder } from '../support/music.ts';

const TRACKS = 6;
const shelves: LibraryCatalogue[] = [];
afterAll(() => shelves.forEach((shelf) => shelf.close()));

type Windows = 'all' | number;
interface Step {
  packId: string;
  windows: Windows;
  /** Tracks embedded there, as an import would that is stopped half way. */
  embed: number[];
}

const step: fc.Arbitrary<Step> = fc.record({
  packId: fc.constantFrom('a', 'b', 'c'),
  windows: fc.constantFrom<Windows>('all', 1, 5),
  embed: fc.uniqueArray(fc.integer({ min: 0, max: TRACKS - 1 })),
});

describe('embedding spaces', () => {
  it('are kept through every change of pack and windows; going back needs no import', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const dataFolder = testFolder();
        const music = testFolder();
        const open = (): LibraryCatalogue => {
          const made = new LibraryCatalogue(dataFolder, {
            pack: (packId) => ({ sha256: `pack-${packId}`, encoderSha256: `sha-${packId}` }),
          });
          shelves.push(made);
          return made;
        };
        let shelf = open();
        let library = shelf.open(music, { packId: 'a' });
        const insert = library.db.prepare(
          `INSERT INTO tracks (id, path, title, search_text, added_at, content_hash) VALUES (?, ?, '', '', '', ?)`,
        );
        library.db.transaction(() => {
          for (let t = 0; t < TRACKS; t++) insert.run([`t${t}`, `${t}.wav`, `h${t}`]);
        })();
        // What must be there, by space: the number a track's vector was made of.
        const expected = new Map<string, Map<string, number>>();
        let made = 0;
        const check = (): void => {
          const space = library.space();
          const own = expected.get(space.key) ?? new Map<string, number>();
          const windows = library.embeddings.load();
          expect(windows.trackIds).toEqual([...own.keys()].sort());
          expect([...windows.vectors]).toEqual(windows.trackIds.map((id) => own.get(id)));
          expect(library.summary().tracks).toMatchObject({
            total: TRACKS,
            ready: own.size,
            pending: TRACKS - own.size,
          });
          const all = library.db
            .prepare<{ n: number }>('SELECT COUNT(*) AS n FROM cache.embeddings')
            .get()?.n;
          expect(all).toBe([...expected.values()].reduce((sum, rows) => sum + rows.size, 0));
        };
        for (const { packId, windows, embed } of steps) {
          library = shelf.open(music, { packId, windows });
          const space = library.space();
          expect(space.key).toBe(spaceKey({ encoderSha256: `sha-${packId}`, windows, deformation: null }));
          check();
          for (const t of embed) {
            const own = expected.get(space.key) ?? new Map<string, number>();
            // An import asks for what is not there, and for nothing else.
            if (own.has(`t${t}`)) continue;
            made += 1;
            const z = Float32Array.of(made);
            library.embeddings.put(space, `t${t}`, [{ index: 0, startSeconds: 0, seconds: 1, z }], null);
            expected.set(space.key, own.set(`t${t}`, made));
          }
          check();
        }
        shelf.close();
        shelf = open();
        for (const { packId, windows } of steps) {
          library = shelf.open(music, { packId, windows });
          check();
        }
        shelf.close();
      }),
      { numRuns: 12 },
    );
  });

  it('have a key of their own each, that never changes', () => {
    // Databases hold these: another key would lose every embedding.
    expect(spaceKey({ encoderSha256: 'abc', windows: 'all', deformation: null })).toBe(
      '2ccb31ef4705db9db39b0037429ff7f4',
    );
    const spaces = ['abc', 'abd'].flatMap((encoderSha256) =>
      (['all', 1, 5] as const).flatMap((windows) =>
        [null, 'gain 3'].map((deformation) => ({ encoderSha256, windows, deformation })),
      ),
    );
    expect(new Set(spaces.map(spaceKey)).size).toBe(spaces.length);
  });
});
