/**
 * When the system last noted a change of a file (`ctime`, ms): programs that edit tags can keep size and time of writing,
 * but not this. Null where it was not written down yet; such a track takes it from the next scan.
 */
export const sql = 'ALTER TABLE tracks ADD COLUMN changed_ms REAL;';
