import type { PackInfo, PackVerification } from '../../engine/api/packs.ts';
import { PackService } from '../../engine/packs/service.ts';
import { exitCodes } from '../exit-codes.ts';
import { bytes, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';
import { addPackVerbs } from './packs-add.ts';
import { addPackScore } from './packs-score.ts';
import { inScratch } from '../../engine/files/scratch.ts';

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
        withPacks(cli, (service) => {
          const list = service.list();
          return { json: { packs: list, problems: service.problems() }, text: describePacks(list, service) };
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
        withPacks(cli, async (service) => {
          const wanted = ids.length > 0 ? ids : service.list().map(({ id }) => id);
          const verifications: PackVerification[] = [];
          for (const id of wanted) verifications.push(await service.verify(id, cli.interrupt.signal));
          const broken = service.problems();
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

  addPackVerbs(packs, cli, (work) => withPacks(cli, work));
  addPackScore(packs, cli, (work) => withPacks(cli, work));
};

function withPacks<T>(cli: Cli, work: (service: PackService) => T | Promise<T>): Promise<T> {
  return inScratch('packs', async (dataFolder) => {
    const service = await PackService.open({ packFolders: cli.places.packFolders, dataFolder });
    try {
      return await work(service);
    } finally {
      await service.close();
    }
  });
}

function describePacks(list: readonly PackInfo[], service: PackService): string {
  const problems = service.problems().map(({ folder, message }) => `${folder}: ${message}`);
  const known = table<PackInfo>(
    [
      { title: 'pack', value: (pack) => pack.id },
      { title: 'version', value: (pack) => pack.version },
      { title: 'kind', value: (pack) => pack.kind },
      { title: 'D', value: (pack) => String(pack.embeddingDim), align: 'right' },
      { title: 'size', value: (pack) => bytes(pack.bytes), align: 'right' },
      { title: 'licence', value: (pack) => pack.licence },
      { title: 'title', value: (pack) => pack.title },
    ],
    list,
  );
  return [list.length > 0 ? known : 'no packs installed', ...problems].join('\n');
}
