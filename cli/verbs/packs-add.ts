import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Option, type Command } from 'commander';
import type { PackChoices, PackOrigin, PackProposal, PackTerms } from '../../engine/api/packs.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { hubModels } from '../../engine/packs/add/hub.ts';
import { number, wholeNumber } from '../options.ts';
import { bytes } from '../text.ts';
import type { Cli } from '../verb.ts';

interface AddOptions extends Omit<PackChoices, 'windowSeconds'> {
  window?: number;
  sidecar?: string;
  acceptTerms?: boolean;
  inspect?: boolean;
}

/** Ending of the files that make a pack; anything else is the name of a model of the hub. */
const fileEnding = /\.(pt|pth|th|ckpt|safetensors|gin|onnx|pb|json)$/i;

/** `packs add`, `packs remove`. */
export function addPackVerbs(packs: Command, cli: Cli): void {
  packs
    .command('add')
    .description(
      'Make a pack from official checkpoints or any network, or add a head to one: files here, or a model of the hub.',
    )
    .argument(
      '<files-or-model...>',
      'checkpoints (and config.gin), a network or a head (.onnx, .pb, model.json) and its JSON, or the name of a model',
    )
    .option('--sidecar <file>', 'JSON that says how the network is fed, where it is not beside it')
    .option('--accept-terms', 'accept the terms of the models, which are shown first without this')
    .option('--inspect', 'only say what the files are and what pack they would make')
    .option('--id <id>', 'name of the pack', packId)
    .option('--title <title>', 'title of the pack')
    .addOption(
      new Option(
        '--precision <kind>',
        'of the weights of encoder and denoiser; what a reduced one changes is measured and kept on the card',
      )
        .choices(['float32', 'float16', 'int8'])
        .default('float32'),
    )
    .option('--window <seconds>', 'window length, where no config.gin says it', number(0.1, 60))
    .option('--output <name>', 'output of a network that is the embedding, where its JSON names several')
    .addOption(
      new Option('--tokens <which>', 'of an output with several rows for a patch').choices([
        'mean',
        'cls',
        'dist',
        'stack',
      ]),
    )
    .option(
      '--keep-every <k>',
      'patch-out: of the times of a transformer’s patches, keep every k-th; 1 only takes out what is not read',
      wholeNumber(1, 64),
    )
    .option('--patch-hop <frames>', 'from one patch of a network to the next', wholeNumber(1, 1_000_000))
    .option(
      '--head-of <pack>',
      'the pack whose embeddings a head takes, where its JSON does not name one that is here',
      packId,
    )
    .option(
      '--encoder-heads <n>',
      'attention heads of EnCodecMAE, where no config.gin says it',
      wholeNumber(1, 256),
    )
    .option(
      '--heads <n>',
      'attention heads of the autoencoder, where no config.gin says it',
      wholeNumber(1, 256),
    )
    .addHelpText(
      'after',
      `
Models with a short name:
${hubModels()
  .map(({ id, title }) => `  ${id.padEnd(18)}${title}`)
  .join('\n')}
Any other: owner/repository, owner/repository/folder or owner/repository/file.pt

Examples:
  archetone packs add weights.pt config.gin encodec_24khz-d7cc33bc.th
  archetone packs add pecmae-4s --accept-terms
  archetone packs add pecmae-4s --precision int8
  archetone packs add discogs-effnet-bsdynamic-1.onnx --sidecar discogs-effnet-bsdynamic-1.json
  archetone packs add discogs-maest-30s-pw-2.onnx --tokens stack --keep-every 2
  archetone packs add danceability-discogs-effnet-1.onnx --head-of discogs-effnet-bsdynamic`,
    )
    .action((names: string[], options: AddOptions) =>
      cli.answer(() =>
        cli.withoutLibrary(async (session) => {
          const { client, signal } = session;
          const { window: windowSeconds, acceptTerms = false, inspect = false, sidecar, ...choice } = options;
          const origin = originOf(sidecar === undefined ? names : [...names, sidecar]);
          const choices: PackChoices = { ...choice, windowSeconds };
          const proposal = await client.call('packs.inspect', { origin, choices }, { signal });
          if (inspect) return { json: proposal, text: describe(proposal) };
          cli.say(describe(proposal));
          if (!acceptTerms) await ask(proposal.terms, signal);
          const accepted = proposal.terms.map((terms) => terms.id);
          const added = await session.run('add-pack', () =>
            client.call('packs.add', { origin, choices, accepted }),
          );
          const pack = (await client.call('packs.list', {})).find((info) => info.id === added.packId);
          const { headId } = added;
          if (headId !== null) {
            const head = pack?.heads.find(({ id }) => id === headId);
            const classes = head?.classes.join(', ') ?? '';
            return {
              json: { pack, head, notes: added.notes },
              text: [`${headId} was added to ${added.packId}: ${classes}`, ...added.notes].join('\n'),
            };
          }
          return {
            json: { pack, notes: added.notes },
            text: [
              `${added.packId} was added: ${pack?.title ?? ''}, ${bytes(pack?.bytes ?? 0)}, in ${pack?.folder ?? ''}`,
              ...(pack?.soundless ? [`It makes no sound. ${pack.soundless}`] : []),
              ...added.notes,
            ].join('\n'),
          };
        }),
      ),
    );

  packs
    .command('remove')
    .description('Delete a pack that was added, or one of its heads; what was computed with it stays.')
    .argument('<id>', 'pack')
    .option('--head <id>', 'only this head of the pack')
    .addHelpText(
      'after',
      '\nExamples:\n  archetone packs remove pecmae-4s\n  archetone packs remove discogs-effnet-bsdynamic --head danceability',
    )
    .action((id: string, { head }: { head?: string }) =>
      cli.answer(() =>
        cli.withoutLibrary(async ({ client }) => {
          if (head !== undefined) {
            await client.call('packs.removeHead', { packId: id, headId: head });
            return { json: { removed: id, head }, text: `${head} was removed from ${id}` };
          }
          await client.call('packs.remove', { packId: id });
          return { json: { removed: id }, text: `${id} was removed` };
        }),
      ),
    );
}

function packId(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(text)) return text;
  throw new EngineError(
    'bad-input',
    `“${text}” is no name of a pack.`,
    'Use small letters, digits, - and _.',
  );
}

function originOf(names: readonly string[]): PackOrigin {
  const files = names.filter((name) => fileEnding.test(name) && !isHubFile(name));
  const [model, ...others] = names.filter((name) => !files.includes(name));
  if (model === undefined) return { kind: 'files', paths: names.map((name) => resolve(name)) };
  if (files.length === 0 && others.length === 0) return { kind: 'hub', id: model };
  throw new EngineError(
    'bad-input',
    `“${model}” is no checkpoint file, and stands beside others.`,
    'Name files (.pt, .th, .ckpt, .safetensors, .gin, .onnx, .pb, .json) or one model of the hub.',
  );
}

/** A file of the hub is written like a relative path; where there is such a file, that one is meant. */
function isHubFile(name: string): boolean {
  return /^[\w.-]+\/[\w.-]+\/[\w./-]+$/.test(name) && !name.startsWith('.') && !existsSync(name);
}

async function ask(terms: readonly PackTerms[], signal: AbortSignal): Promise<void> {
  const refuse = (): EngineError =>
    new EngineError(
      'bad-input',
      `The terms were not accepted: ${terms.map(({ subject }) => subject).join(', ')}.`,
      'Read them, then run the command again with --accept-terms.',
    );
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw refuse();
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // The terminal hands Ctrl-C and the end of input to the prompt, which closes and would never answer.
  const closed = new AbortController();
  prompt.once('close', () => closed.abort());
  try {
    const reply = await prompt.question('Do you accept these terms? [y/N] ', {
      signal: AbortSignal.any([signal, closed.signal]),
    });
    if (!/^y(es)?$/i.test(reply.trim())) throw refuse();
  } finally {
    prompt.close();
  }
}

function describe({ files, terms, notes, downloadBytes, pack, head }: PackProposal): string {
  return [
    'Files',
    ...files.map(({ name, model }) => `  ${name}${model === null ? '' : `: ${model}`}`),
    ...(downloadBytes === null ? [] : [`  ${bytes(downloadBytes)} to download`]),
    ...(pack === null
      ? []
      : [
          'Pack',
          `  ${pack.id}: ${pack.title}; ${pack.kind}, D ${pack.embeddingDim}, windows of ${pack.windowSeconds} s`,
          ...(pack.soundless === null ? [] : [`  It will make no sound. ${pack.soundless}`]),
        ]),
    ...(head === null
      ? []
      : [
          `Head of ${head.packId}`,
          `  ${head.id}: ${head.title}; of ${head.embeddingDim} numbers it makes ${head.classes.join(', ')}${head.positive === null ? '' : ` (positive: ${head.positive})`}`,
        ]),
    ...(notes.length > 0 ? ['Notes', ...notes.map((note) => `  ${note}`)] : []),
    'Terms of the publishers',
    ...terms.map(
      ({ subject, licence, url, nonCommercial }) =>
        `  ${subject}: ${licence}. ${url}${nonCommercial ? ' NON-COMMERCIAL ONLY.' : ''}`,
    ),
  ].join('\n');
}
