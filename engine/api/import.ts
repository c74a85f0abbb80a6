/** Reading a library’s folders. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';

export const importMethods = {
  'import.start': query<Started>()(
    z.strictObject({
      ...inLibrary,
      /** Reads tags and content of every file again, also of those whose size and time are as they were. */
      everything: z.boolean().default(false),
      /** The workers of the queue that is connected compute, instead of this machine. */
      overQueue: z.boolean().default(false),
      /** Embeds in the space of this pack, beside the one in use, which stays; null: in the one in use. */
      packId: id.nullable().default(null),
    }),
  ),
};
