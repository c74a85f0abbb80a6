import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { hashFile } from '../../../models/conversion/index.ts';
import {
  headFileNames,
  headManifest,
  planHead,
  requireFit,
  type HeadPlan,
} from '../../../models/conversion/head-plan.ts';
import { readHeadFiles, type HeadFiles } from '../../../models/conversion/network-files.ts';
import { Random } from '../../../models/numerics/random.ts';
import { HEAD_FILE, PackError, readHead, type HeadManifest } from '../../../models/packs/index.ts';
import type { PackChoices, PackProposal } from '../../api/packs.ts';
import { EngineError } from '../../api/errors.ts';
import type { PackService } from '../service.ts';
import { plainTerms, requireAccepted } from './terms.ts';

type Packs = Pick<PackService, 'list' | 'get' | 'find' | 'heads' | 'refresh'>;

/** Rows that a new head is tried on. */
const TRIED = 16;

/** A head among files, with the pack that it is going to belong to. */
interface Matched {
  files: HeadFiles;
  plan: HeadPlan;
  packId: string;
  /** Packs whose embeddings have the width it takes. */
  candidates: { id: string; title: string }[];
  /** Whether somebody, or its JSON, says which of them it is. */
  sure: boolean;
  notes: string[];
}

/**
 * Says what a head among files is and which pack it belongs to.
 * @returns null where there is no head among the files
 * @throws CheckpointError naming the file; EngineError `bad-input` where no pack has the embeddings that it takes
 */
export async function proposeHead(
  packs: Packs,
  paths: readonly string[],
  choices: PackChoices,
): Promise<PackProposal | null> {
  const matched = await matchHead(packs, paths, choices);
  if (matched === null) return null;
  const { files, plan, packId, candidates, notes } = matched;
  const { title, classes, positive } = files.card;
  return {
    files: headFileNames(files),
    terms: [plainTerms(files.card.terms)],
    notes,
    downloadBytes: null,
    pack: null,
    head: {
      ...{ id: plan.id, title, classes, positive, embeddingDim: plan.embeddingDim },
      ...{ packId, candidates },
    },
  };
}

/**
 * Adds a head to a pack: its file as it was published, tried out in the process of the graphs.
 * @returns null where there is no head among the files
 * @throws EngineError, CheckpointError, PackError; the signal's reason
 */
export async function addHead(
  packs: Packs,
  {
    paths,
    choices,
    accepted,
    signal,
  }: { paths: readonly string[]; choices: PackChoices; accepted: readonly string[]; signal: AbortSignal },
): Promise<{ packId: string; headId: string; notes: string[] } | null> {
  const matched = await matchHead(packs, paths, choices);
  if (matched === null) return null;
  const { files, plan, packId, candidates, sure, notes } = matched;
  if (!sure)
    throw new EngineError(
      'bad-input',
      `Several packs give embeddings of ${plan.embeddingDim} numbers: ${candidates.map(({ id }) => id).join(', ')}.`,
      'Say which of them the head was trained on (--head-of).',
    );
  requireAccepted([plainTerms(files.card.terms)], accepted);
  const target = packs.heads.placeOf(packId, plan.id);
  if ((await stat(target).catch(() => null)) !== null)
    throw new EngineError(
      'bad-input',
      `The pack ${packId} has a head ${plan.id} already.`,
      'Remove it first, or give the new one another name (--id).',
    );
  const sources: HeadManifest['sources'] = [];
  for (const { path } of files.files)
    sources.push({
      file: basename(path),
      sha256: await hashFile(path, signal),
      bytes: (await stat(path)).size,
    });
  const work = join(dirname(target), `.adding-${plan.id}-${randomUUID()}`);
  try {
    await mkdir(work, { recursive: true });
    const manifest = headManifest(files, plan, packId, sources);
    await writeFile(join(work, manifest.graph.file), files.model.onnx);
    await writeFile(join(work, HEAD_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    await tryOut(packs, work);
    signal.throwIfAborted();
    await rename(work, target);
  } catch (thrown) {
    await rm(work, { recursive: true, force: true });
    throw thrown;
  }
  await packs.refresh();
  return { packId, headId: plan.id, notes };
}

/** @throws PackError where the graph fails, or says the same of everything */
async function tryOut({ heads }: Packs, folder: string): Promise<void> {
  const head = await readHead(folder);
  const { embeddingDim, classes } = head.manifest;
  try {
    const rows = new Random(4).normals(TRIED * embeddingDim);
    const said = await heads.predict(head, rows, TRIED, 'compute');
    const first = said.subarray(0, classes.length);
    if (said.every((value, i) => value === first[i % classes.length]))
      throw new PackError('graph', 'the head says the same of every embedding', {
        hint: 'The weights are probably not those of a trained model: get the files again.',
      });
  } finally {
    await heads.release(head);
  }
}

async function matchHead(
  packs: Packs,
  paths: readonly string[],
  choices: PackChoices,
): Promise<Matched | null> {
  const files = await readHeadFiles(paths);
  if (files === null) return null;
  const plan = planHead(files, choices.id);
  const { model } = files.card;
  const known = packs.list();
  const fitting = known.filter(({ embeddingDim }) => embeddingDim === plan.embeddingDim);
  const candidates = fitting.map(({ id, title }) => ({ id, title }));
  const named =
    model === null
      ? undefined
      : known.find(
          ({ id, sources }) =>
            id === model || sources.some(({ file }) => file.slice(0, -extname(file).length) === model),
        );
  // Throws where there is none of that id.
  const headOf = choices.headOf === undefined ? null : packs.get(choices.headOf).manifest.id;
  const chosen = headOf === null ? named : known.find(({ id }) => id === headOf);
  if (chosen) requireFit(plan, chosen);
  // A random twin or a hand-made space is what no published head was trained on, unless somebody says so.
  const plausible = fitting.filter(({ embedded }) => !embedded);
  const pack = chosen ?? plausible[0];
  if (!pack)
    throw new EngineError(
      'bad-input',
      `${files.model.name} is a head: it takes embeddings of ${plan.embeddingDim} numbers, which no pack here gives.`,
      model === null
        ? 'Add the pack of the model that it was trained on first.'
        : `Add the pack of ${model}, which its JSON names, first.`,
    );
  const notes =
    chosen && (model === null || chosen === named)
      ? []
      : [
          model === null
            ? `Its JSON does not say which model it was trained on; its numbers mean something behind that one only.`
            : `Its JSON names ${model}; of the packs here ${pack.id} gives embeddings of as many numbers. Behind another model its numbers mean nothing.`,
        ];
  return {
    files,
    plan,
    packId: pack.id,
    candidates,
    sure: chosen !== undefined || plausible.length === 1,
    notes,
  };
}
