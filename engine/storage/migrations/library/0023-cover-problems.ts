/** Why a cover that lies in a file or beside it was not taken, for people; null where one was, or none is there. */
export const sql = `ALTER TABLE tracks ADD COLUMN cover_problem TEXT;`;
