/** Embedding spaces: what vectors may be compared, and what computed them. */

/** The embedding space something was made in: what identifies a vector besides its track. */
export interface SpaceInfo {
  /** 32 hexadecimal digits that name it in its library. */
  key: string;
  /** What the pack is called that the space was used with last; empty when nobody knows any more. */
  packId: string;
  /** Content hash of that pack; empty while the pack has never been there. */
  packSha256: string;
  /** Hash of what makes the vectors in that pack, which packs may share; empty where it is not known. */
  encoderSha256: string;
  /** Which windows of a track are embedded: all of them, or N evenly spaced. */
  windows: 'all' | number;
  /** How the audio is changed before it is embedded; null: not at all. */
  deformation: string | null;
}

/** What vectors were computed with: on another machine the same audio gives other last digits. */
export interface ComputedBy {
  /** Execution provider of ONNX Runtime. */
  provider: string;
  /** “onnxruntime 1.30.0” */
  runtime: string;
  /** Name of the machine's processor. */
  processor: string;
}
