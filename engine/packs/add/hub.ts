import * as z from 'zod';
import { knownSources } from '../../../models/backbones/sources.ts';
import { EngineError } from '../../api/errors.ts';
import type { HubModelInfo } from '../../api/packs.ts';

/** Where models are downloaded from. */
export interface HubAddresses {
  /** The model hub; `HF_ENDPOINT` names a mirror, as it does for the hub's own tools. */
  hub: string;
  /** EnCodec 24 kHz. */
  encodec: string;
}

const publicAddresses: HubAddresses = {
  hub: 'https://huggingface.co',
  encodec: 'https://dl.fbaipublicfiles.com/encodec/v0/encodec_24khz-d7cc33bc.th',
};

/** Models of the hub that have a short name. */
export function hubModels(): HubModelInfo[] {
  return knownSources.map(({ id, title }) => ({ id, title }));
}

/** The public addresses, or those that the environment names (`HF_ENDPOINT`, `ARCHETONE_ENCODEC_URL`). */
export function addressesFrom(environment: Readonly<Record<string, string | undefined>>): HubAddresses {
  return {
    hub: (environment['HF_ENDPOINT'] ?? publicAddresses.hub).replace(/\/+$/, ''),
    encodec: environment['ARCHETONE_ENCODEC_URL'] ?? publicAddresses.encodec,
  };
}

/** A file to download. */
export interface RemoteFile {
  url: string;
  /** What it is called here. */
  name: string;
  /** The first digits of its SHA-256, where the publisher put them into its name. */
  sha256Start?: string;
}

/** Files that make one pack, and where the publisher describes them. */
export interface HubModel {
  /** Safe as the name of a folder. */
  slug: string;
  files: RemoteFile[];
  page: string;
  /** The licence that the hub shows, or null where it shows none or was not asked. */
  licence: string | null;
}

const idPattern = /^([\w.-]+\/[\w.-]+)(?:\/([\w./-]+))?$/;
const weightsPattern = /\.(pt|pth|th|ckpt|safetensors)$/i;
const MAX_LISTING_BYTES = 8 * 1024 ** 2;
const LISTING_TIMEOUT_MS = 30_000;

const listingSchema = z.object({
  siblings: z.array(z.object({ rfilename: z.string().max(1024) })).max(100_000),
  cardData: z.object({ license: z.unknown() }).partial().nullish(),
});

/**
 * Asks the hub which files a model has.
 * @param id a name of {@link knownSources}, or `owner/repository`, `owner/repository/folder`, `owner/repository/file.pt`
 * @throws EngineError `bad-input`, `not-found`, `unreadable`
 */
export async function findOnHub(
  id: string,
  addresses: HubAddresses,
  signal?: AbortSignal,
): Promise<HubModel> {
  const known = knownSources.find((model) => model.id === id);
  const parts = known ? [id, known.repository, known.folder] : idPattern.exec(id);
  const repository = parts?.[1];
  if (!repository || `${repository}/${parts[2] ?? ''}`.split('/').some((part) => /^\.+$/.test(part)))
    throw new EngineError(
      'bad-input',
      `“${id}” is neither a file nor a model of the hub.`,
      `Name files, or one of ${knownSources.map((model) => model.id).join(', ')}, or owner/repository/folder.`,
    );
  const { names, licence } = await listRepository(repository, addresses, signal);
  const chosen = chooseFiles(names, parts[2] ?? '', id);
  const files = chosen.map((name): RemoteFile => ({
    url: `${addresses.hub}/${repository}/resolve/main/${name.split('/').map(encodeURIComponent).join('/')}`,
    name: name.split('/').at(-1) ?? name,
  }));
  if (known?.codec === true) files.push(encodecFile(addresses));
  return {
    slug: id.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100),
    files,
    page: `${addresses.hub}/${repository}`,
    licence,
  };
}

/** torch.hub puts the beginning of the SHA-256 into the file's name. */
function encodecFile({ encodec }: HubAddresses): RemoteFile {
  const name = encodec.split('/').at(-1) ?? 'encodec.th';
  const start = /-([0-9a-f]{8})\.th$/.exec(name)?.[1];
  return { url: encodec, name, ...(start === undefined ? {} : { sha256Start: start }) };
}

async function listRepository(
  repository: string,
  { hub }: HubAddresses,
  signal: AbortSignal | undefined,
): Promise<{ names: string[]; licence: string | null }> {
  const url = `${hub}/api/models/${repository}`;
  const timeout = AbortSignal.timeout(LISTING_TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    text = await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new EngineError(
      'unreadable',
      `${new URL(url).host} cannot be reached.`,
      'Check the connection; or download the files on another machine and add them from disk.',
      { cause },
    );
  }
  if (!response.ok || text.length > MAX_LISTING_BYTES)
    throw new EngineError(
      response.status === 404 || response.status === 401 ? 'not-found' : 'unreadable',
      `The hub has no open repository ${repository} (it answered ${response.status}).`,
      'Check the name on the page of the model.',
    );
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Told below, like any other answer that is not a listing.
  }
  const listing = listingSchema.safeParse(json);
  if (!listing.success)
    throw new EngineError(
      'unreadable',
      `${url} answered with something other than a list of files.`,
      'A sign-in page of the network may be in the way: open the address in a browser.',
    );
  const licence = listing.data.cardData?.license;
  return {
    names: listing.data.siblings
      .map(({ rfilename }) => rfilename)
      .filter((name) => !name.split('/').includes('..')),
    licence: typeof licence === 'string' ? licence : null,
  };
}

/** The weights that are meant, and the configuration beside them. */
function chooseFiles(names: readonly string[], within: string, id: string): string[] {
  const folder = within.replace(/\/+$/, '');
  const weights = names.filter(
    (name) => weightsPattern.test(name) && (name === folder || folderOf(name) === folder),
  );
  const [only] = weights;
  if (only === undefined || weights.length > 1) {
    const all = names.filter((name) => weightsPattern.test(name) && name.startsWith(folder));
    const some = all.slice(0, 12).join(', ');
    throw new EngineError(
      'not-found',
      only === undefined ? `“${id}” holds no weights.` : `“${id}” holds ${weights.length} files of weights.`,
      some === ''
        ? 'Look at the page of the model.'
        : `Name one of them: ${some}${all.length > 12 ? ', …' : ''}.`,
    );
  }
  const config = names.find(
    (name) => name === (folderOf(only) === '' ? 'config.gin' : `${folderOf(only)}/config.gin`),
  );
  return config === undefined ? [only] : [only, config];
}

function folderOf(name: string): string {
  return name.split('/').slice(0, -1).join('/');
}
