import { access, constants, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../engine/decode/find-program.ts';
import type { Confinement } from '../../engine/api/app.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { asEngineError } from '../../engine/packs/failures.ts';
import { exitCodes } from '../exit-codes.ts';
import { bytes, table } from '../text.ts';
import type { AddVerb, Cli } from '../verb.ts';
import type { Session } from '../session.ts';
import { verifyPack } from './packs.ts';

interface Check {
  name: string;
  ok: boolean;
  /** Without it nothing works; else only a part is missing. */
  required: boolean;
  detail: string;
  hint: string;
}

const OLDEST_NODE = [20, 18] as const;
const LITTLE_SPACE = 2e9;
const run = promisify(execFile);

export const doctorVerb: AddVerb = (program, cli) => {
  program
    .command('doctor')
    .description('Check what Archetone needs on this machine.')
    .option('--library <dir>', 'also check that this data folder can be written')
    .option('--deep', 'with --library: read every database and backup of it whole, and say what is damaged')
    .addHelpText(
      'after',
      '\nExamples:\n  archetone doctor --json\n  archetone doctor --deep --library ~/archetone-music',
    )
    .action((options: { library?: string; deep?: boolean }) =>
      cli.answer(async () => {
        const folder = options.library === undefined ? null : resolve(options.library);
        if (options.deep === true && folder === null)
          throw new EngineError('bad-input', '--deep needs a data folder.', 'Name it with --library.');
        const { runtime, readers, packs } = await checkEngine(cli);
        const checks = [
          checkNode(),
          runtime,
          ...packs,
          ...readers,
          await checkWorker('decode worker', cli.places.decodeWorker),
          await checkWorker('data set worker', cli.places.datasetWorker),
          await checkWorker('label worker', cli.places.labelWorker),
          checkDemo(cli),
          await checkFfmpeg(),
          await checkWritable(folder ?? tmpdir(), folder === null ? 'temporary folder' : 'data folder'),
          await checkSpace(folder ?? tmpdir()),
          ...(options.deep === true && folder !== null ? await checkData(folder) : []),
        ];
        const broken = checks.find((check) => check.required && !check.ok);
        const failed =
          broken === undefined ? exitCodes.ok : packs.includes(broken) ? exitCodes.pack : exitCodes.internal;
        return { json: { ok: broken === undefined, checks }, text: describe(checks), exitCode: failed };
      }),
    );
};

/** What can be made anew need not be whole. */
async function checkData(folder: string): Promise<Check[]> {
  const { inspectData } = await import('../../engine/storage/inspect.ts');
  return inspectData(folder).map(({ file, problem, required, hint }) => ({
    name: file,
    ok: problem === null,
    required,
    detail: problem ?? 'whole',
    hint,
  }));
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return {
    name: 'Node.js',
    ok,
    required: true,
    detail: process.versions.node,
    hint: ok ? '' : `Install Node.js ${OLDEST_NODE.join('.')} or newer.`,
  };
}

interface EngineChecks {
  runtime: Check;
  /** What keeps in whatever reads files. */
  readers: Check[];
  packs: Check[];
}

/** What only the engine can tell; where it does not even start, that is what is told, beside all other checks. */
async function checkEngine(cli: Cli): Promise<EngineChecks> {
  try {
    return await askEngine(cli);
  } catch (thrown) {
    cli.interrupt.signal.throwIfAborted();
    const { message, hint } = asEngineError(thrown);
    const runtime = { name: 'engine', ok: false, required: true, detail: message, hint };
    return { runtime, readers: [], packs: [] };
  }
}

/** Where ONNX Runtime computes, and whether packs are whole. */
function askEngine(cli: Cli): Promise<EngineChecks> {
  return cli.withoutLibrary(async (session) => {
    const { client } = session;
    const providers = (await client.call('providers.list', {})).map(({ provider }) => provider);
    const runtime: Check = {
      name: 'ONNX Runtime',
      ok: providers.includes('cpu'),
      required: true,
      detail: `offers ${providers.join(', ')}`,
      hint: '',
    };
    const packs: Check[] = [];
    const installed = await client.call('packs.list', {});
    for (const { id, version } of installed) {
      const { ok, problems } = await verifyPack(session, id);
      const [problem] = problems;
      packs.push({
        name: `pack ${id}`,
        ok,
        required: id === 'compact',
        detail: ok ? `${version}, verified` : (problem?.message ?? ''),
        hint: problem?.hint ?? '',
      });
    }
    // Known once a model was run.
    const { confinement } = await client.call('app.info', {});
    if (confinement !== null)
      packs.push(checkConfinement('models of packs', confinement, 'Use only packs of makers you trust.'));
    for (const { folder, message, hint } of await client.call('packs.problems', {}))
      packs.push({ name: `pack in ${folder}`, ok: false, required: false, detail: message, hint });
    // Hand-made packs are always there; without this one nothing can be heard.
    if (!installed.some(({ id }) => id === 'compact'))
      packs.push({
        name: 'pack compact',
        ok: false,
        required: true,
        detail: `not in ${cli.places.packFolders.join(', ')}`,
        hint: 'Install Archetone again, or set ARCHETONE_PACKS to a folder that holds it.',
      });
    return { runtime, readers: await checkReaders(cli, session), packs };
  });
}

async function checkReaders({ places }: Cli, { engine }: Session): Promise<Check[]> {
  if (places.readers === null) return [];
  const hint = 'Open only files of people you trust.';
  return [checkConfinement('readers of files', await engine.startReaders(), hint)];
}

/** @param trust what to do where nothing keeps the process in */
function checkConfinement(name: string, { calls, files, reason }: Confinement, trust: string): Check {
  const network = calls ? 'no network' : 'nothing keeps them from the network';
  const writing = { none: 'no file written', devices: 'no file written but devices', free: 'files written' };
  return {
    name,
    ok: calls && files !== 'free',
    required: false,
    detail: [network, writing[files], ...(reason === '' ? [] : [reason])].join('; '),
    hint: reason === '' ? '' : trust,
  };
}

async function checkWorker(name: string, path: string): Promise<Check> {
  const ok = await access(path).then(
    () => true,
    () => false,
  );
  const hint = ok ? '' : 'Run npm run setup in the folder of Archetone.';
  return { name, ok, required: true, detail: path, hint };
}

function checkDemo({ places }: Cli): Check {
  const { labelledDemoFolder, demoFolder } = places;
  const ok = labelledDemoFolder !== null && demoFolder !== null;
  const detail = `${labelledDemoFolder ?? 'the labelled demo is missing'}, ${demoFolder ?? 'the demo samples are not installed'}`;
  return { name: 'demo sounds', ok, required: false, detail, hint: ok ? '' : 'Run npm install.' };
}

async function checkFfmpeg(): Promise<Check> {
  const program = await findProgram('ffmpeg');
  const version =
    program &&
    (await run(program, ['-version']).then(
      ({ stdout }) => /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'found',
      () => null,
    ));
  return {
    name: 'ffmpeg',
    ok: version !== null,
    required: false,
    detail: version ?? 'not found: m4a and aac files cannot be read from the command line',
    hint: version === null ? 'Install ffmpeg if you have such files; all other formats work without it.' : '',
  };
}

async function checkWritable(folder: string, name: string): Promise<Check> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    const probe = await mkdtemp(join(folder, '.archetone-probe-'));
    await writeFile(join(probe, 'probe'), 'probe');
    await rm(probe, { recursive: true });
    return { name, ok: true, required: true, detail: `${folder} can be written`, hint: '' };
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return { name, ok: false, required: true, detail, hint: 'Check the permissions, or use another folder.' };
  }
}

async function checkSpace(folder: string): Promise<Check> {
  const facts = await statfs(folder).catch(() => null);
  if (!facts)
    return {
      name: 'disk space',
      ok: false,
      required: false,
      detail: `${folder} cannot be looked at`,
      hint: '',
    };
  const free = facts.bavail * facts.bsize;
  const ok = free >= LITTLE_SPACE;
  const hint = ok ? '' : `Less than ${bytes(LITTLE_SPACE)} are left: a large library may not fit.`;
  return { name: 'disk space', ok, required: false, detail: `${bytes(free)} free in ${folder}`, hint };
}

function describe(checks: readonly Check[]): string {
  return table<Check>(
    [
      { title: '', value: ({ ok, required }) => (ok ? 'ok' : required ? 'FAIL' : 'note') },
      { title: 'check', value: ({ name }) => name },
      { title: 'found', value: ({ detail, hint }) => (hint === '' ? detail : `${detail} – ${hint}`) },
    ],
    checks,
  );
}
