import type { TensorSource } from '../checkpoint/index.ts';
import type { EncodecmaePart } from './encodecmae-part.ts';
import type { Terms } from './publishers.ts';
import type { HeadSetting, SettingName } from './settings.ts';

/** Everything about one kind of published model: how it is recognised, asked about, converted and credited. */
export interface Backbone {
  /** What it is called in messages and lists. */
  title: string;
  /** With its article, in the list of what would have been accepted. */
  expected: string;
  /** Finds the model in a checkpoint, by the names of its tensors, under whatever prefix. */
  detect(source: TensorSource): BackbonePart | null;
  /** What its tensors do not tell. */
  settings: readonly HeadSetting[];
  /** Terms that cover a pack made from it. What holds another model is covered by that one's too. */
  terms: readonly Terms[];
}

/** A model that was found in a checkpoint: what a pack can take from it. Nothing is read before a graph is built. */
export interface BackbonePart {
  embedder?: Embedder;
  codec?: Codec;
}

/** A graph; building it reads the weights. */
export type BuildGraph = (shape: GraphShape) => Promise<Uint8Array>;

/** What a graph is built for. */
export interface GraphShape {
  /** T: frames of a whole window. */
  frames: number;
  /** Value of one of the backbone's settings. */
  settled: (setting: SettingName) => number;
}

/** Makes the embeddings of a pack. */
export interface Embedder {
  encodecmae: EncodecmaePart;
  /** Of a pack with windows of so many seconds, unless the user names it. */
  name(windowSeconds: number): { id: string; title: string };
  /** `hidden [batch, T, D]` → `z [batch, D]` */
  summary: BuildGraph;
  /** The way back to sound, through a codec; or why there is none, for people. */
  sound: { denoiser: BuildGraph; withoutCodec: string } | { none: string };
}

/** Makes sound of frame features. */
export interface Codec {
  /** Numbers per frame that it takes; 0 where the file is incomplete. */
  featureDim(): number;
  decoder: BuildGraph;
}
