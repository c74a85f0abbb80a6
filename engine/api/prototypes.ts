/** The prototypes of an experiment, and edits of them; every edit is a revision that can be undone. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import type { Experiment } from './experiments.ts';
import type { WindowRef } from './neighbours.ts';
import { label, id, inLibrary } from './shared.ts';
import type { Sonification } from './sonify.ts';

export interface PrototypeInfo {
  index: number;
  class: string;
  /** Training windows whose nearest prototype this is. */
  support: number;
  /** Share of those windows that carry this prototype's class, 0…1; null when support is 0. */
  purity: number | null;
  /** Weight towards every class, in the order of `Experiment.classes`. */
  weights: number[];
  nearest: WindowRef[];
  sonification: Sonification | null;
}

export const prototypesMethods = {
  'prototypes.list': query<PrototypeInfo[]>()(z.strictObject({ ...inLibrary, experimentId: id })),
  /** Deletes prototypes: a new revision of the experiment, re-scored; `prototypes.restore` undoes it. */
  'prototypes.remove': query<Experiment>()(
    z.strictObject({ ...inLibrary, experimentId: id, index: z.int().min(0) }),
  ),
  /** Makes a window of the library a prototype of a class: a new revision. */
  'prototypes.add': query<Experiment>()(
    z.strictObject({
      ...inLibrary,
      experimentId: id,
      class: label,
      trackId: id,
      windowIndex: z.int().min(0),
    }),
  ),
  /** Goes back to an earlier revision. */
  'prototypes.restore': query<Experiment>()(
    z.strictObject({ ...inLibrary, experimentId: id, revision: z.int().min(1) }),
  ),
};
