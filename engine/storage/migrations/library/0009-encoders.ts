/**
 * A space is what the encoder of its pack makes of windows; packs that differ in their decoder or card share one. Empty
 * where nobody knows the encoder of a pack (any more): such a space stays its pack's, and keeps the key that was made of
 * the pack's hash.
 */
export const sql = `
ALTER TABLE spaces ADD COLUMN encoder_sha256 TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX spaces_by_encoder ON spaces (encoder_sha256, windows, coalesce(deformation, ''))
  WHERE encoder_sha256 <> '';
`;
