/** Reading a library’s folders. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { inLibrary } from './shared.ts';
import type { Started } from './shared.ts';

export const importMethods = {
  'import.start': query<Started>()(z.strictObject(inLibrary)),
};
