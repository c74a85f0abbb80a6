/** Entry of the engine process (a utility process): the engine, without windows. */
import { EngineError } from '../engine/api/errors.ts';
import { browserThenFfmpeg } from '../engine/decode/index.ts';
import { createEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import { toEngineSchema } from './engine-messages.ts';
import type { EngineConfig, FromEngine } from './engine-messages.ts';
import { EmbedderBroker } from './embedder-broker.ts';
import { mainPort } from './ports.ts';
import { ExternalDecoderBroker } from './external-decoder.ts';
import { ProviderRunnerBroker } from './provider-runner.ts';

const post = (message: FromEngine): void => process.parentPort.postMessage(message);

let engine: Promise<Engine> | null = null;
let media: Engine['media'] | null = null;

const broker = new ExternalDecoderBroker(post, (path) => {
  if (!media) throw new Error('The engine has not started.');
  // Tokens are the last part of the URLs that the engine gives out.
  return media.urlFor(path, 'audio/mp4').split('/').at(-1) ?? '';
});

const embedders = new EmbedderBroker(post);
const providers = new ProviderRunnerBroker(post);

async function start(config: EngineConfig): Promise<Engine> {
  const started = await createEngine({
    ...config,
    externalDecoder: browserThenFfmpeg(broker.decode),
    providerRunner: providers.run,
    embedder: embedders.spawn,
  });
  media = started.media;
  return started;
}

process.parentPort.on('message', (event) => {
  const parsed = toEngineSchema.safeParse(event.data);
  if (!parsed.success) {
    console.error('Unexpected message from main:', parsed.error.message);
    return;
  }
  const message = parsed.data;
  const port = event.ports[0];
  switch (message.type) {
    case 'start':
      engine = start(message.config);
      engine.then(
        () => post({ type: 'ready' }),
        (thrown: unknown) => post({ type: 'failed', ...EngineError.from(thrown).toData() }),
      );
      break;
    case 'client':
      if (port) void engine?.then((ready) => ready.serve(mainPort(port)));
      break;
    case 'resolve-media':
      post({ type: 'media', id: message.id, media: media?.resolve(message.token) ?? null });
      break;
    case 'decoder':
      if (port) broker.connected(message.id, port);
      break;
    case 'decoder-lost':
      broker.lost(message.id, message.message);
      break;
    case 'provider-checked':
      providers.answered(message.id, message.reply);
      break;
    case 'embedder':
      if (port) embedders.connected(message.id, port);
      break;
    case 'embedder-ended':
      embedders.ended(message.id, message.code);
      break;
    case 'stop':
      void Promise.resolve(engine)
        .then((running) => running?.close())
        .catch((thrown: unknown) => console.error('While closing:', thrown))
        .then(() => post({ type: 'stopped' }));
      break;
  }
});
