import {
  openRuntime,
  PackError,
  readPack,
  verifyPack,
  type Pack,
  type PackRuntime,
} from '../../models/packs/index.ts';
import { failureOf, requestSchema } from './protocol.ts';
import type { EmbedderPort, EmbedderReply, EmbedderRequest, PackKey } from './protocol.ts';

/** Answers requests with the packs of this machine: the inside of an embedder process. Sessions stay open. */
export function serveEmbedder(port: EmbedderPort): { close: () => Promise<void> } {
  const runtimes = new Map<string, { sha256: string; runtime: Promise<PackRuntime> }>();

  const runtimeOf = (key: PackKey): Promise<PackRuntime> => {
    const { sha256, provider, threads } = key;
    const name = `${sha256} ${provider} ${threads ?? ''}`;
    const open = runtimes.get(name);
    if (open) return open.runtime;
    const runtime = packOf(key).then((pack) =>
      openRuntime(pack, { provider, ...(threads === null ? {} : { threads }) }),
    );
    runtimes.set(name, { sha256, runtime });
    runtime.catch(() => runtimes.delete(name));
    return runtime;
  };
  const close = async (sha256: string | null): Promise<void> => {
    for (const [name, entry] of runtimes) {
      if (sha256 !== null && entry.sha256 !== sha256) continue;
      runtimes.delete(name);
      await (await entry.runtime.catch(() => null))?.close();
    }
  };
  const answer = async (request: EmbedderRequest): Promise<Float32Array | null> => {
    if (request.type === 'close') await close(request.sha256);
    else if (request.type === 'verify') await verifyPack(await packOf(request.pack));
    else return run(await runtimeOf(request.pack), request);
    return null;
  };

  port.onMessage((message) => {
    const parsed = requestSchema.safeParse(message);
    if (!parsed.success) {
      console.error('Unexpected message from the engine:', parsed.error.message);
      return;
    }
    const { id } = parsed.data;
    const reply = (body: EmbedderReply): void => port.post(body);
    answer(parsed.data).then(
      (output) => reply({ type: 'done', id, output }),
      (thrown: unknown) => reply({ type: 'failed', id, error: failureOf(thrown) }),
    );
  });
  return { close: () => close(null) };
}

async function packOf({ folder, sha256 }: PackKey): Promise<Pack> {
  const pack = await readPack(folder);
  if (pack.sha256 === sha256) return pack;
  throw new PackError('hash', `the pack in ${folder} was exchanged while Archetone ran`, {
    file: 'pack.json',
    hint: 'Start Archetone again to use the pack that is there now.',
  });
}

function run(
  runtime: PackRuntime,
  { method, inputs, batch }: Extract<EmbedderRequest, { type: 'run' }>,
): Promise<Float32Array> {
  const [first = new Float32Array(), second = new Float32Array(), third = new Float32Array()] = inputs;
  return method === 'denoise' ? runtime.denoise(first, second, third) : runtime[method](first, batch);
}
