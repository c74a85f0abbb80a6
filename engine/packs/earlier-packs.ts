/**
 * Encoders of the compact packs that came with earlier versions, each with the hashes of the packs that hold it, oldest
 * first: a library that was embedded with one of them learns by it whether the pack it meets now makes the same vectors.
 */
const packsByEncoder: Record<string, readonly string[]> = {
  // 0.1.0
  '369042d826e0183c7ed292d1a94d5a60490efc2f996470921d8bff03591b801c': [
    '38f871516533fcf18cd20bcd9b81957d2707fba0e7495bec826d892c22603ba8',
  ],
  // 0.2.0, 0.2.1
  '2f14f9c1100d47d86f8ade7fedd058560fbeb8f1793b3bc30d214adcd7ca6f64': [
    'cdf2a8f0c0e604d54d1505961494c2016f1f117ef30c80d5a5d2af495c41ec5f',
    '33a39c586ee57427ea071f497e3b8985ccaa1100d6cefa28a6c33dd1907f3d31',
    '4593967d6d1a56533e7a037f641e0af1b373e7c005c4e20173922f78604aa824',
    '80d98089f22a4a31ba74cb81b47558b4d16d5387e97086604c696528481951c4',
  ],
  // 0.3.0, 0.3.1
  '8bc0399f3017050f4d446308290f3698bb9ff6aa2893a8c56b38156525f58860': [
    'c06c0177ab8dca0d5b00ee10ee6138a527b4909925eff2a9e4f8d1f8ce96f07e',
    '09f151d67e71764b42ea82823bdd9a144b62404214b6bf6708cd1cb8c08a44ab',
    '52b3e001b1dd49bfcac84adc85571068e75ebb6dad70bce45ebc9157c5b20291',
    'e190fd1077af39bd0cf471f05839ac82087ccf6635c8f72849d355ad16b1eb3e',
  ],
  // 0.4.0, 0.4.1, 0.4.2
  '9578d9af23a9d7e6324bdb915615b41680bc6f29cace610f99ae8446d040bf1d': [
    '13165eab296e91bcfd7469ff0312e3f348778cf3e21d23389bfa36641c62c3d4',
    '67fcfbd11659c0133b2e024515660b8949cb5f2a124beb7d46a9888bf4c11419',
    '840d97697d9abe04b86994e2e9eaa4b479949786627dff99625e982531786b14',
    '3ee0edee1a77c05c772bf5105069d6786578f462022514e25dd69f60cf4e6942',
  ],
};

/** The encoder of an earlier pack, by the pack's hash. */
export const earlierEncoders: ReadonlyMap<string, string> = new Map(
  Object.entries(packsByEncoder).flatMap(([encoder, packs]) => packs.map((pack) => [pack, encoder] as const)),
);
