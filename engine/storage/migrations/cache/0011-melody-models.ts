/** What was learned from the melodies of a library, by what they were: figures as JSON, the LSTM as an ONNX graph. */
export const sql = `
CREATE TABLE melody_models (
  digest TEXT PRIMARY KEY,
  learned TEXT NOT NULL,
  graph BLOB
) STRICT;
`;
