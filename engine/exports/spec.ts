import type * as z from 'zod';
import { exportsMethods } from '../api/exports.ts';

/** What an export job is told. */
export const exportSpecSchema = exportsMethods['exports.start'].input;
export type ExportSpec = Omit<z.output<typeof exportSpecSchema>, 'libraryId'>;
