import { matchingGainDb, measureLoudness } from '../player/loudness.ts';
import { decodeMono } from '../player/sound.ts';

/** A sound that says nothing of where it comes from: mono, one sample rate, one loudness. */
export interface Clip {
  samples: Float32Array<ArrayBuffer>;
  sampleRate: number;
  gain: number;
}

/**
 * Reads a sound, or a part of it, and finds the gain that brings it to the common loudness. A part that goes beyond the end
 * of the sound is filled with silence, so that it lasts as long as was asked for.
 */
export async function readClip(
  url: string,
  signal: AbortSignal,
  part?: { start: number; seconds: number },
): Promise<Clip> {
  const { samples, sampleRate } = await decodeMono(url, signal);
  const from = Math.round((part?.start ?? 0) * sampleRate);
  const to = part ? from + Math.round(part.seconds * sampleRate) : samples.length;
  const heard = samples.subarray(from, to);
  const gain = 10 ** (matchingGainDb(measureLoudness(heard, sampleRate)) / 20);
  const lasting = new Float32Array(to - from);
  lasting.set(heard);
  return { samples: lasting, sampleRate, gain };
}

/** Plays clips past the player of the window, which would show what they are. */
export class BlindSounds {
  #context: AudioContext | null = null;
  #stop: (() => void) | null = null;

  /** @returns when the clip has ended, or another one was played */
  async play({ samples, sampleRate, gain }: Clip, volume: number): Promise<void> {
    this.stop();
    const context = (this.#context ??= new AudioContext());
    void context.resume();
    const buffer = context.createBuffer(1, Math.max(1, samples.length), sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    const level = new GainNode(context, { gain: gain * volume });
    source.connect(level).connect(context.destination);
    await new Promise<void>((resolve) => {
      this.#stop = () => {
        source.onended = null;
        source.stop();
        resolve();
      };
      source.onended = () => resolve();
      source.start();
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  close(): void {
    this.stop();
    void this.#context?.close();
    this.#context = null;
  }
}
