/** What a person noted of a track; null for nothing. (`note` says what was damaged in its file.) */
export const sql = 'ALTER TABLE tracks ADD COLUMN notes TEXT;';
