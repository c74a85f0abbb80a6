import { describe, expect, it } from 'vitest';
import type { Taxonomy, TaxonomySource } from '../../engine/api/taxonomies.ts';
import { EngineError } from '../../engine/api/errors.ts';
import type { LibrarySession } from '../../renderer/src/session/library-session.svelte.ts';
import type { App } from '../../renderer/src/shell/app.svelte.ts';
import { trainAndHear } from '../../renderer/src/train/train-and-hear.ts';
import { taxonomy } from './fake.ts';

type Made = (source: TaxonomySource) => Taxonomy;
const many = (tracks: number): Taxonomy['labels'] => ['a', 'b'].map((name) => ({ name, tracks }));

/** A session that can only make labels and train. */
function start(make: Made): {
  press: () => Promise<void>;
  told: unknown[];
  trained: string[];
  kept: string[];
  app: App;
} {
  const told: unknown[] = [];
  const trained: string[] = [];
  const kept: string[] = [];
  const app = { view: 'library' } as unknown as App;
  const session = {
    closed: false,
    taxonomies: {
      current: null,
      create: (source: TaxonomySource) =>
        Promise.resolve().then(() => {
          const made = make(source);
          kept.push(made.id);
          return made;
        }),
      remove: (id: string) => {
        kept.splice(kept.indexOf(id), 1);
        return Promise.resolve();
      },
    },
    notices: {
      add: () => undefined,
      attempt: (work: () => Promise<void>) => work().catch((thrown: unknown) => told.push(thrown)),
    },
    experiments: {
      train: ({ taxonomyId }: { taxonomyId: string }) => {
        trained.push(taxonomyId);
        app.view = 'jobs';
        return Promise.resolve();
      },
    },
  } as unknown as LibrarySession;
  return { press: () => trainAndHear(app, session), told, trained, kept, app };
}

describe('train and hear', () => {
  it('passes over a source that cannot be read, and keeps nothing of one that gives too little', async () => {
    const made = start((source) => {
      if (source.kind === 'folders') return { ...taxonomy, id: 'folders', labels: many(1) };
      if (source.kind === 'tags') throw new EngineError('bad-input', 'No track has a genre.');
      return { ...taxonomy, id: 'tokens', labels: many(50) };
    });
    await made.press();
    expect([made.trained, made.kept, made.told]).toEqual([['tokens'], ['tokens'], []]);
  });

  it('says what was wrong where no source can be read, and stays where it was', async () => {
    const made = start(({ kind }) => {
      throw new EngineError('bad-input', `No ${kind}.`);
    });
    await made.press();
    expect(made.told).toEqual([expect.objectContaining({ message: 'No folders.' })]);
    expect([made.trained, made.kept, made.app.view]).toEqual([[], [], 'library']);
  });

  it('does not go on to other sources when the engine ended', async () => {
    const asked: string[] = [];
    const made = start(({ kind }) => {
      asked.push(kind);
      throw new EngineError('engine-restarted', 'The engine ended.');
    });
    await made.press();
    expect([asked, made.told]).toEqual([
      ['folders'],
      [expect.objectContaining({ code: 'engine-restarted' })],
    ]);
  });
});
