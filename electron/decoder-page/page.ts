import { ADTS, AudioSampleSink, Input, MP4, QTFF, UrlSource } from 'mediabunny';
import type { AudioSample } from 'mediabunny';
import type { DecoderMessage } from '../engine-messages.ts';

/** Chunks that may be under way before the engine has taken them. */
const lookAhead = 8;

/** Samples of one channel; what lies before time zero is encoder priming and is dropped. */
function planesOf(sample: AudioSample): Float32Array<ArrayBuffer>[] {
  const skip = Math.min(
    sample.numberOfFrames,
    Math.max(0, Math.round(-sample.timestamp * sample.sampleRate)),
  );
  return Array.from({ length: sample.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(sample.numberOfFrames);
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane.subarray(skip).slice();
  });
}

async function decode(url: string, port: MessagePort): Promise<void> {
  const post = (message: DecoderMessage): void => port.postMessage(message);
  let credits = lookAhead;
  let stopped = false;
  let wake = (): void => undefined;
  port.onmessage = (event: MessageEvent<unknown>) => {
    if (event.data === 'stop') stopped = true;
    else if (event.data === 'taken') credits++;
    wake();
  };
  port.addEventListener('close', () => {
    stopped = true;
    wake();
  });
  const isStopped = (): boolean => stopped;
  try {
    const input = new Input({
      source: new UrlSource(new URL(url, location.href)),
      formats: [MP4, QTFF, ADTS],
    });
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new Error('The file holds no audio track.');
    if (!(await track.canDecode()))
      throw new Error(`This system cannot decode ${(await track.getCodec()) ?? 'this codec'}.`);
    let announcedRate = 0;
    for await (const sample of new AudioSampleSink(track).samples()) {
      if (sample.sampleRate !== announcedRate) {
        announcedRate = sample.sampleRate;
        post({ type: 'format', sampleRate: sample.sampleRate, channels: sample.numberOfChannels });
      }
      const planes = planesOf(sample);
      sample.close();
      if (planes[0] && planes[0].length > 0) {
        while (credits === 0 && !isStopped()) await new Promise<void>((resolve) => (wake = resolve));
        if (isStopped()) break;
        credits--;
        post({ type: 'samples', planes });
      }
    }
    post({ type: 'end' });
  } catch (thrown) {
    post({ type: 'error', message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const port = event.ports[0];
  if (event.origin === location.origin && typeof event.data === 'string' && port)
    void decode(event.data, port);
});
