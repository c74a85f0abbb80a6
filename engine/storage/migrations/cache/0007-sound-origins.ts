/** What a sound began with, as JSON: the recording and the share of noise over it. Null: noise, as all that were there. */
export const sql = 'ALTER TABLE sonifications ADD COLUMN recording TEXT;';
