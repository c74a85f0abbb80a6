import { ADTS, AudioSampleSink, Input, MP4, QTFF, UrlSource } from 'mediabunny';
import type { AudioSample } from 'mediabunny';
import { serve } from '../../engine/wire/serve.ts';
import { messagePort } from '../../engine/wire/transports/message-port.ts';
import { decoderContract } from '../decoder-contract.ts';

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

async function* decode(
  token: string,
): AsyncGenerator<{ sampleRate: number; planes: Float32Array<ArrayBuffer>[] }> {
  const input = new Input({
    source: new UrlSource(new URL(`/audio/${token}`, location.href)),
    formats: [MP4, QTFF, ADTS],
  });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('The file holds no audio track.');
  if (!(await track.canDecode()))
    throw new Error(`This system cannot decode ${(await track.getCodec()) ?? 'this codec'}.`);
  for await (const sample of new AudioSampleSink(track).samples()) {
    const { sampleRate } = sample;
    const planes = planesOf(sample);
    sample.close();
    if (planes[0] && planes[0].length > 0) yield { sampleRate, planes };
  }
}

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const port = event.ports[0];
  if (event.origin === location.origin && port)
    serve(messagePort(port), decoderContract, { decode: ({ token }) => decode(token) });
});
