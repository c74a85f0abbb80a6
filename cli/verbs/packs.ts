import type { PackInfo, PackProblem, PackVerification, TrainingData } from '../../engine/api/packs.ts';
import { exitCodes } from '../exit-codes.ts';
import { bytes, table } from '../text.ts';
import type { Session } from '../session.ts';
import type { AddVerb } from '../verb.ts';
import { addPackVerbs } from './packs-add.ts';
import { addPackScore } from './packs-score.ts';

export const packsVerb: AddVerb = (program, cli) => {
  const packs = program
    .command('packs')
    .description('The packs that are installed: encoders that make embeddings, decoders that make sound.');

  packs
    .command('list')
    .description('List installed packs with version, licence and size.')
    .addHelpText('after', '\nExample:\n  archetone packs list --json')
    .action(() =>
      cli.answer(() =>
        cli.withoutLibrary(async ({ client }) => {
          const found = await client.call('packs.list', {});
          const problems = await client.call('packs.problems', {});
          return { json: { packs: found, problems }, text: describePacks(found, problems) };
        }),
      ),
    );

  packs
    .command('verify')
    .description('Check the files of packs: sizes, hashes, graphs.')
    .argument('[ids...]', 'packs to check; default: all')
    .addHelpText('after', '\nExamples:\n  archetone packs verify\n  archetone packs verify compact --json')
    .action((ids: string[]) =>
      cli.answer(() =>
        cli.withoutLibrary(async (session) => {
          const { client } = session;
          const wanted = ids.length > 0 ? ids : (await client.call('packs.list', {})).map(({ id }) => id);
          const verifications: PackVerification[] = [];
          for (const packId of wanted) verifications.push(await verifyPack(session, packId));
          const broken = await client.call('packs.problems', {});
          const ok = verifications.every((verification) => verification.ok) && broken.length === 0;
          const text = [
            ...verifications.map(({ packId, ok: fine, problems }) =>
              fine
                ? `${packId}  ok`
                : `${packId}  ${problems.map((p) => `${p.file}: ${p.message}`).join('; ')}`,
            ),
            ...broken.map(({ folder, message }) => `${folder}  ${message}`),
          ];
          return {
            json: { ok, verifications, problems: broken },
            text: text.length > 0 ? text.join('\n') : 'no packs installed',
            exitCode: ok && wanted.length > 0 ? exitCodes.ok : exitCodes.pack,
          };
        }),
      ),
    );

  packs
    .command('attribution')
    .description(
      'What a pack was trained on: hours by licence, and every source with its licence and holders.',
    )
    .argument('[id]', 'pack', 'compact')
    .addHelpText(
      'after',
      '\nExamples:\n  archetone packs attribution\n  archetone packs attribution compact --json',
    )
    .action((packId: string) =>
      cli.answer(() =>
        cli.withoutLibrary(async ({ client }) => {
          const found = await client.call('packs.trainingData', { packId });
          return { json: { packId, trainingData: found }, text: describeTrainingData(found) };
        }),
      ),
    );

  addPackVerbs(packs, cli);
  addPackScore(packs, cli);
};

/** Checks the files of a pack, and a reduced one on this processor. */
export async function verifyPack(session: Session, packId: string): Promise<PackVerification> {
  const { verification } = await session.run('verify-pack', (client) =>
    client.call('packs.verify', { packId }),
  );
  return verification;
}

function describeTrainingData(found: TrainingData | null): string {
  if (found === null) return 'The pack brings no data card.';
  const { licences, notice, sources } = found;
  const parts = [
    table(
      [
        { title: 'licence', value: (row) => row.licence },
        { title: 'hours', value: (row) => row.hours.toFixed(2), align: 'right' },
        { title: 'files', value: (row) => String(row.files), align: 'right' },
      ],
      licences,
    ),
    table(
      [
        { title: 'source', value: (row) => `${row.package} ${row.version}` },
        { title: 'licence', value: (row) => row.licence },
        { title: 'files', value: (row) => String(row.files), align: 'right' },
        { title: 'holders', value: (row) => row.copyright.join('; ') },
      ],
      sources,
    ),
  ];
  if (notice !== null) parts.push(notice);
  return parts.join('\n\n');
}

function describePacks(list: readonly PackInfo[], unusable: readonly PackProblem[]): string {
  const problems = unusable.map(({ folder, message }) => `${folder}: ${message}`);
  const known = table<PackInfo>(
    [
      { title: 'pack', value: (pack) => pack.id },
      { title: 'version', value: (pack) => pack.version },
      { title: 'kind', value: (pack) => pack.kind },
      { title: 'D', value: (pack) => String(pack.embeddingDim), align: 'right' },
      { title: 'size', value: (pack) => bytes(pack.bytes), align: 'right' },
      {
        title: 'licence',
        value: (pack) => `${pack.licence}${pack.nonCommercial ? ' [non-commercial only]' : ''}`,
      },
      { title: 'title', value: (pack) => pack.title },
    ],
    list,
  );
  const heads = list.flatMap((pack) =>
    pack.heads.map(
      ({ id, classes, licence, nonCommercial }) =>
        `head ${id} of ${pack.id}: ${classes.slice(0, 5).join(', ')}${classes.length > 5 ? `, … (${classes.length})` : ''}; ${licence}${nonCommercial ? ' [non-commercial only]' : ''}`,
    ),
  );
  return [list.length > 0 ? known : 'no packs installed', ...heads, ...problems].join('\n');
}
