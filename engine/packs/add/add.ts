import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../../../models/checkpoint/errors.ts';
import { allTerms } from '../../../models/backbones/registry.ts';
import {
  convertFiles,
  hashFile,
  inspectFiles,
  isNonCommercial,
  type SourceFile,
  type Trial,
} from '../../../models/conversion/index.ts';
import type { JobProgress } from '../../api/jobs.ts';
import type { PackChoices, PackOrigin, PackProposal, PackTerms } from '../../api/packs.ts';
import { EngineError } from '../../api/errors.ts';
import { download, forgetDownload, remoteSize } from './download.ts';
import { findOnHub, type HubAddresses, type HubModel, type RemoteFile } from './hub.ts';
import { plainTerms, requireAccepted } from './terms.ts';

/** Downloads lie here until they are converted, so that an interrupted one goes on. */
const DOWNLOADS = '.downloads';
const MEGABYTE = 1e6;

/** Says what adding a pack would do; a model of the hub is asked for its files and their sizes. */
export async function proposePack(
  origin: PackOrigin,
  choices: PackChoices,
  addresses: HubAddresses,
  signal?: AbortSignal,
): Promise<PackProposal> {
  if (origin.kind === 'files') {
    const { files, terms, notes, ...pack } = await inspectFiles(origin.paths, choices);
    return { files, terms: terms.map(plainTerms), notes, downloadBytes: null, pack, head: null };
  }
  const model = await findOnHub(origin.id, addresses, signal);
  const sizes = await Promise.all(model.files.map(({ url }) => remoteSize(url, signal)));
  return {
    files: model.files.map(({ name }) => ({ name, model: null })),
    terms: hubTerms(model),
    notes: [],
    downloadBytes: sizes.reduce<number | null>(
      (sum, size) => (sum === null || size === null ? null : sum + size),
      0,
    ),
    pack: null,
    head: null,
  };
}

export interface AddPackOptions {
  origin: PackOrigin;
  choices: PackChoices;
  /** Ids of the terms that the person accepted. */
  accepted: readonly string[];
  /** Folder of added packs. */
  packsFolder: string;
  /** Where new graphs are tried out; default: in this process. */
  trial?: Trial;
  addresses: HubAddresses;
  signal: AbortSignal;
  report: (progress: Partial<JobProgress>) => void;
}

/**
 * Adds a pack: terms, download, conversion, self-test. What fails or is cancelled leaves no pack behind; of a download
 * that was interrupted the part that arrived is kept for the next attempt.
 * @throws EngineError, CheckpointError, GraphBuildError, PackError; the signal's reason
 */
export async function addPack(options: AddPackOptions): Promise<{ packId: string; notes: string[] }> {
  const { origin, packsFolder, signal } = options;
  await mkdir(packsFolder, { recursive: true });
  if (origin.kind === 'files') {
    const { terms } = await inspectFiles(origin.paths, options.choices);
    requireAccepted(terms.map(plainTerms), options.accepted);
    return convert(
      origin.paths.map((path) => ({ path })),
      options,
    );
  }
  const model = await findOnHub(origin.id, options.addresses, signal);
  requireAccepted(hubTerms(model), options.accepted);
  const folder = join(packsFolder, DOWNLOADS, model.slug);
  const sources = await fetchAll(model.files, folder, options);
  try {
    const result = await convert(sources, options);
    await rm(folder, { recursive: true, force: true });
    return result;
  } catch (thrown) {
    // A file that is no model of ours will not become one: it is not kept.
    if (thrown instanceof CheckpointError) await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

async function convert(
  sources: readonly SourceFile[],
  { packsFolder, choices, signal, report, trial }: AddPackOptions,
): Promise<{ packId: string; notes: string[] }> {
  const { pack, notes } = await convertFiles(sources, {
    packsFolder,
    choices,
    signal,
    ...(trial ? { trial } : {}),
    onProgress: ({ done, total, current }) => report({ done, total, unit: 'steps', current }),
  });
  return { packId: pack.manifest.id, notes };
}

async function fetchAll(
  files: readonly RemoteFile[],
  folder: string,
  { signal, report }: AddPackOptions,
): Promise<SourceFile[]> {
  await mkdir(folder, { recursive: true });
  const sources: SourceFile[] = [];
  for (const { url, name, sha256Start } of files) {
    const path = join(folder, name);
    sources.push({ path, url });
    // An earlier attempt brought it; a file has this name only when it is complete.
    if ((await stat(path).catch(() => null))?.isFile()) continue;
    await download(url, path, {
      signal,
      onProgress: (done, total) =>
        report({
          done: Math.round(done / MEGABYTE),
          total: Math.round(total / MEGABYTE),
          unit: 'MB',
          current: name,
        }),
    });
    if (sha256Start !== undefined && !(await hashFile(path, signal)).startsWith(sha256Start)) {
      await forgetDownload(path);
      throw new EngineError(
        'unreadable',
        `${name} is not the file that its publisher offers: its SHA-256 does not begin with ${sha256Start}.`,
        'Try again; if it happens again, something between this machine and the publisher changes files.',
      );
    }
  }
  return sources;
}

/** The hub's own page comes first; which models a file holds shows only once it is here, so all terms are listed. */
function hubTerms({ page, licence }: HubModel): PackTerms[] {
  return [
    ...allTerms.map((terms) =>
      terms.url === page && licence !== null ? { ...plainTerms(terms), licence } : plainTerms(terms),
    ),
    ...(allTerms.some(({ url }) => url === page)
      ? []
      : [
          {
            id: page,
            subject: page,
            licence: licence ?? 'none is stated on the page of the model',
            url: page,
            nonCommercial: isNonCommercial(licence ?? ''),
          },
        ]),
  ];
}
