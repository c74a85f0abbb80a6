/** Maps without a list of their points: it follows from the embeddings that a map's id names. */
export const sql = `
DROP TABLE projections;
CREATE TABLE projections (
  id TEXT PRIMARY KEY,
  x BLOB NOT NULL,
  y BLOB NOT NULL,
  prototypes INTEGER NOT NULL,
  trust REAL NOT NULL,
  explained TEXT
) STRICT;
`;
