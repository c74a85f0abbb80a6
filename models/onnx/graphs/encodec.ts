import type { TensorSource } from '../../checkpoint/source.ts';
import { GraphBuilder, type Dimension } from '../builder.ts';
import { Weights } from '../weights.ts';
import { seanet, type Probe } from './seanet.ts';

/** What shapes an EnCodec graph besides its checkpoint. */
export interface EncodecConfig {
  /**
   * Where the sequence of modules lies in the checkpoint: `encoder.model` and `decoder.model` in EnCodec's own file,
   * `….wav_encoder.model.model` inside EnCodecMAE v1.
   */
  prefix: string;
  /** Adds the value after each module as the output `module.<i>` [B, C, T]; for tests. Default false. */
  probes?: boolean;
}

/**
 * EnCodec's encoder as a pack's `features` graph: `waveform` [batch, samples], mono in [−1, 1] → `features`
 * [batch, frames, F], continuous latents. Any number of samples; frames = ⌈samples / hop⌉.
 * @throws GraphBuildError; CheckpointError
 */
export async function encodecEncoderGraph(source: TensorSource, config: EncodecConfig): Promise<Uint8Array> {
  const g = new GraphBuilder('encodec-encoder');
  const waveform = g.input('waveform', 'float32', ['batch', 'samples']);
  const latents = await seanet(
    new Weights(g, source, config.prefix),
    g.unsqueeze(waveform, [1]),
    probe(g, config),
  );
  const channels = latents.shape?.[1] ?? 'channels';
  g.output('features', g.transpose(latents, [0, 2, 1]), ['batch', 'frames', channels]);
  return g.build();
}

/**
 * EnCodec's decoder as a pack's `decoder` graph: `features` [batch, frames, F] → `waveform` [batch, samples], exactly
 * hop samples for each frame, not clipped. Any number of frames.
 * @throws GraphBuildError; CheckpointError
 */
export async function encodecDecoderGraph(source: TensorSource, config: EncodecConfig): Promise<Uint8Array> {
  const g = new GraphBuilder('encodec-decoder');
  const weights = new Weights(g, source, config.prefix);
  const features = g.input('features', 'float32', ['batch', 'frames', latentChannels(weights)]);
  const waveform = await seanet(weights, g.transpose(features, [0, 2, 1]), probe(g, config));
  g.output('waveform', g.squeeze(waveform, [1]), ['batch', 'samples']);
  return g.build();
}

function latentChannels(weights: Weights): number {
  const first = weights.under('0.conv.conv');
  return first.shape(first.has('weight') ? 'weight' : 'weight_v')[1] ?? 0;
}

function probe(g: GraphBuilder, { probes = false }: EncodecConfig): Probe | undefined {
  if (!probes) return undefined;
  return (module, value) => {
    const dims = value.shape?.map((size, axis): Dimension => (axis === 1 ? size : `module${module}.${axis}`));
    g.output(`module.${module}`, value, dims ?? []);
  };
}
