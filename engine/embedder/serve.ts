import {
  computedHere,
  HeadSession,
  openRuntime,
  PackError,
  readHead,
  readPack,
  verifyPack,
  type Pack,
  type PackRuntime,
} from '../../models/packs/index.ts';
import type { Confinement } from '../api/app.ts';
import type { Port } from '../wire/port.ts';
import { serve } from '../wire/serve.ts';
import { embedderContract, type HeadRunRequest, type PackKey, type RunRequest } from './contract.ts';
import { packErrorCoding } from './errors.ts';

/** Runs the packs of this machine for whoever is at the other end: the inside of an embedder process. Sessions stay open. */
export function serveEmbedder(port: Port, confinement: Confinement): { close: () => Promise<void> } {
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
  const heads = new Map<string, Promise<HeadSession>>();
  const headOf = (key: HeadKey): Promise<HeadSession> => {
    const open = heads.get(key.sha256);
    if (open) return open;
    const head = openHead(key);
    heads.set(key.sha256, head);
    head.catch(() => heads.delete(key.sha256));
    return head;
  };
  const close = async (sha256: string | null): Promise<void> => {
    for (const [name, head] of heads) {
      if (sha256 !== null && name !== sha256) continue;
      heads.delete(name);
      await (await head.catch(() => null))?.close();
    }
    for (const [name, entry] of runtimes) {
      if (sha256 !== null && entry.sha256 !== sha256) continue;
      runtimes.delete(name);
      await (await entry.runtime.catch(() => null))?.close();
    }
  };

  serve(
    port,
    embedderContract,
    {
      confinement: () => Promise.resolve(confinement),
      run: async (request) => {
        const runtime = await runtimeOf(request.pack);
        return { output: await run(runtime, request), by: computedHere(runtime.provider) };
      },
      head: async ({ head, rows, count }) => ({ output: await (await headOf(head)).predict(rows, count) }),
      verify: async ({ pack }, { signal }) => {
        await verifyPack(await packOf(pack), signal);
        return null;
      },
      close: async ({ sha256 }) => {
        await close(sha256);
        return null;
      },
    },
    { toError: packErrorCoding },
  );
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

type HeadKey = HeadRunRequest['head'];

async function openHead({ folder, sha256 }: HeadKey): Promise<HeadSession> {
  const head = await readHead(folder);
  // A dense layer or two: more threads cost more than they bring.
  if (head.sha256 === sha256) return HeadSession.open(head, { provider: 'cpu', threads: 1 });
  throw new PackError('hash', `the head in ${folder} was exchanged while Archetone ran`, {
    file: 'head.json',
    hint: 'Start Archetone again to use the head that is there now.',
  });
}

function run(runtime: PackRuntime, { method, inputs, batch }: RunRequest): Promise<Float32Array> {
  const [first = new Float32Array(), second = new Float32Array(), third = new Float32Array()] = inputs;
  return method === 'denoise' ? runtime.denoise(first, second, third) : runtime[method](first, batch);
}
