/**
 * Imported before any schema is made: the content security policy forbids generated code, and zod decides when a
 * schema is made whether to try.
 */
import * as z from 'zod';

z.config({ jitless: true });
