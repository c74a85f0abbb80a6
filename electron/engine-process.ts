/** Entry of the engine process (a utility process): the engine, without windows. */
import { createEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import { connect } from '../engine/wire/connect.ts';
import { serve } from '../engine/wire/serve.ts';
import { electronPort, insideUtility } from '../engine/wire/transports/utility-process.ts';
import { engineContract, mainContract } from './engine-contract.ts';
import type { EngineConfig } from './engine-contract.ts';
import { ExternalDecoderBroker } from './external-decoder.ts';
import { HelperBroker } from './helper-broker.ts';
import { portOf } from './ports.ts';
import { checkInstalled } from './installed.ts';
import { providerRunner } from './provider-runner.ts';

const port = insideUtility();
const main = connect(port, mainContract);
let engine: Promise<Engine> | null = null;

function running(): Promise<Engine> {
  return engine ?? Promise.reject(new Error('The engine has not started.'));
}

const decoders = new ExternalDecoderBroker(main, async (path) => {
  const { media } = await running();
  // Tokens are the last part of the URLs that the engine gives out.
  return media.urlFor(path, 'audio/mp4').split('/').at(-1) ?? '';
});
const helpers = new HelperBroker(main);

function start(config: EngineConfig): Promise<Engine> {
  return createEngine({
    ...config,
    readers: helpers.spawn('readers'),
    browserDecoder: decoders.decode,
    ffmpeg: true,
    providerRunner: providerRunner(main),
    embedder: helpers.spawn('embedder'),
    secrets: {
      seal: (secret) => main.call('seal', { secret }),
      unseal: (sealed) => main.call('unseal', { sealed }),
      mayConnect: (server) => main.call('mayConnect', { server }),
    },
  });
}

serve(port, engineContract, {
  start: async (config) => {
    const { decodeWorker, datasetWorker, labelWorker } = config;
    engine = checkInstalled([decodeWorker, datasetWorker, labelWorker]).then(() => start(config));
    const { grants, startReaders } = await engine;
    for (const path of config.granted) grants.grant(path);
    // What is opened first need not wait for the process. That it does not start is told by what asks it for something.
    startReaders().catch(() => undefined);
    return null;
  },
  stop: async () => {
    await (await engine)?.close();
    return null;
  },
  resolveMedia: async ({ token }) => (await running()).media.resolve(token),
  grant: async ({ path }) => {
    (await running()).grants.grant(path);
    return null;
  },
  mayShow: async ({ path }) => (await running()).grants.permits(path, 'show'),
  client: async (_, { ports }) => {
    const client = electronPort(portOf(ports));
    (await running()).serve(client);
    return null;
  },
  decoder: ({ id }, { ports }) => {
    decoders.connected(id, portOf(ports));
    return Promise.resolve(null);
  },
  helper: ({ id }, { ports }) => {
    helpers.connected(id, portOf(ports));
    return Promise.resolve(null);
  },
});
