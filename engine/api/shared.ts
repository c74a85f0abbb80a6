/** Parts of schemas that every feature uses. */
import * as z from 'zod';

export const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'not an identifier');

/** Marks what names a file or folder: a window may only name what a person chose (`engine/grants.ts`). */
export const PATH_FORMAT = 'path';

export const path = z.string().min(1).max(4096).meta({ format: PATH_FORMAT });

/** Name of a label, also of a class. */
export const label = z.string().min(1).max(200);

export const seed = z.int().min(0).max(0xffffffff);

export const nothing = z.strictObject({});

export const inLibrary = { libraryId: id };

/** Values of a list that must not occur twice. */
export const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

export const percent = z.number().min(0).max(100);

export const columns = z.array(z.string().min(1).max(1000)).max(100_000);

/** The answer of methods that start a job. */
export interface Started {
  jobId: string;
}
