import { EngineError, type EngineErrorCode } from '../../../engine/api/errors.ts';
import { RECORDING_RATE } from '../../../engine/api/recordings.ts';
import worklet from './capture-worklet.ts?worker&url';

export interface CaptureEvents {
  /** Mono, full scale ±1, at {@link RECORDING_RATE}. */
  onSamples: (samples: Float32Array) => void;
  /** The microphone went away. */
  onLost: () => void;
}

/** Starts to listen; ends with what is answered. */
export type StartCapture = (deviceId: string | null, events: CaptureEvents) => Promise<() => Promise<void>>;

/** What keeps a microphone from being opened, by the name that the browser gives it. */
const refusals: Record<string, [EngineErrorCode, string, string]> = {
  NotAllowedError: [
    'not-permitted',
    'The system does not let Archetone use the microphone.',
    'Allow it in the settings of the system, under privacy, and record again.',
  ],
  NotFoundError: ['not-found', 'No microphone is connected.', 'Connect one, and record again.'],
  OverconstrainedError: [
    'not-found',
    'The chosen microphone is not connected.',
    'Choose another one, and record again.',
  ],
  NotReadableError: [
    'audio',
    'The microphone cannot be opened.',
    'Another program may use it alone: close that, or choose another microphone.',
  ],
};

/**
 * Opens a microphone. The sound is taken as it is: what makes speech clear (gates, automatic gain, echo cancelling) spoils music.
 * @param deviceId as the browser names it; null: the system's
 * @throws EngineError `not-permitted`, `not-found`, `audio`
 */
export const startCapture: StartCapture = async (deviceId, { onSamples, onLost }) => {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        ...(deviceId === null ? {} : { deviceId: { exact: deviceId } }),
        echoCancellation: false,
        noiseSuppression: false,
        autoGainControl: false,
      },
    });
  } catch (thrown) {
    const refusal = thrown instanceof DOMException ? refusals[thrown.name] : undefined;
    throw refusal ? new EngineError(...refusal, { cause: thrown }) : thrown;
  }
  const tracks = stream.getAudioTracks();
  const context = new AudioContext({ sampleRate: RECORDING_RATE });
  const end = async (): Promise<void> => {
    for (const track of tracks) track.stop();
    await context.close();
  };
  try {
    await context.audioWorklet.addModule(worklet);
    const node = new AudioWorkletNode(context, 'capture');
    node.port.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data instanceof Float32Array) onSamples(data);
    };
    for (const track of tracks) track.onended = onLost;
    // It gives nothing out, so nothing is heard; but only what leads to the output is asked for samples.
    context.createMediaStreamSource(stream).connect(node).connect(context.destination);
    await context.resume();
  } catch (thrown) {
    await end();
    throw thrown;
  }
  return end;
};
