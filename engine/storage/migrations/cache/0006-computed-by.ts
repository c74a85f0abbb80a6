/**
 * What computed the vectors of a row: execution provider, version of the runtime, and the machine's processor. Null in
 * rows of earlier versions, which did not say.
 */
export const sql = `
ALTER TABLE embeddings ADD COLUMN provider TEXT;
ALTER TABLE embeddings ADD COLUMN runtime TEXT;
ALTER TABLE embeddings ADD COLUMN processor TEXT;
`;
