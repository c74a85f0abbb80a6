import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';
import { freePort } from '../support/nats.ts';

const root = join(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/many-machines.md'), 'utf8');
/** What stands between the fences behind a sentence of the guide. */
const block = (after: string): string => {
  const begun = guide.indexOf('```\n', guide.indexOf(after)) + 4;
  return guide.slice(begun, guide.indexOf('\n```', begun));
};
/** Exit code of a worker whose options are right and whose server is not there. */
const NO_QUEUE = 8;

/** What Compose knows of what the guide uses. @see https://compose-spec.io */
const service = z.strictObject({
  image: z.string().optional(),
  build: z.strictObject({ context: z.literal('.'), dockerfile: z.literal('Containerfile') }).optional(),
  command: z.array(z.string()),
  ports: z.array(z.string().regex(/^\d+:\d+$/)).optional(),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)),
  extra_hosts: z.array(z.string().regex(/^[a-z]+:host-gateway$/)).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  deploy: z.strictObject({ replicas: z.int().min(1) }).optional(),
});
const composeSchema = z.strictObject({
  services: z.strictObject({ queue: service, worker: service }),
  volumes: z.strictObject({ queue: z.strictObject({}) }),
});

const containerfile = block('`Containerfile`').split('\n');
const argumentsOf = (instruction: string): string[] =>
  containerfile
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1));
const entrypoint = z.array(z.string()).parse(JSON.parse(argumentsOf('ENTRYPOINT')[0] ?? ''));

/** The arguments of a worker behind `bin/archetone.js`, as they run here: without a server, and with a certificate of here. */
async function asRunHere(words: readonly string[]): Promise<string[]> {
  const port = await freePort();
  const certificate = join(testFolder(), 'ca.pem');
  writeFileSync(certificate, '');
  return words
    .slice(words.findIndex((word) => word.endsWith('bin/archetone.js')) + 1)
    .map((word) =>
      word.replace('@server:4222', `@127.0.0.1:${port}`).replace('//server:4222', `//127.0.0.1:${port}`),
    )
    .map((word) =>
      word === '/ca.pem'
        ? certificate
        : word.replace('/var/cache', testFolder()).replace('%H', 'host').replace('%i', '1'),
    );
}

describe('the container files of the guide', () => {
  it('make an image of what is in the repository', () => {
    for (const line of containerfile) expect(line).toMatch(/^(FROM|RUN|COPY|WORKDIR|USER|ENTRYPOINT) \S/);
    const [major = 0] = (/^node:(\d+)/.exec(argumentsOf('FROM')[0] ?? '') ?? []).slice(1).map(Number);
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    expect(major).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)?.[0]));
    expect(argumentsOf('RUN').at(-1)).toBe('npm ci --ignore-scripts && node scripts/build.mjs node');
    expect(existsSync(join(root, entrypoint[1] ?? ''))).toBe(true);
    // What lies in a working tree and is made there anew.
    expect(readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')).toEqual(
      expect.arrayContaining(['node_modules', 'dist', '.git']),
    );
  });

  it('start a server and workers with options that these know', { timeout: 120_000 }, async () => {
    const { services, volumes } = composeSchema.parse(parse(block('`compose.yaml`')));
    const named = Object.values(services)
      .flatMap((one) => one.volumes.map((volume) => volume.split(':')[0] ?? ''))
      .filter((name) => !/^[./]/.test(name));
    expect(named).toEqual(Object.keys(volumes));
    // What the server's configuration and its command name is mounted there.
    const mounted = services.queue.volumes.map((volume) => volume.split(':')[1]);
    const config = block('`server.conf`:');
    const files = [...config.matchAll(/"(\/etc\/nats\/[^"]+|\/data)"/g)].map(([, file]) => file);
    expect(mounted).toEqual(expect.arrayContaining([services.queue.command[1], ...files]));
    const run = await runCli(await asRunHere([...entrypoint, ...services.worker.command]));
    expect([run.code, run.stderr]).toEqual([NO_QUEUE, expect.stringContaining('There is no queue at')]);
  });
});

it('the unit of the guide starts a worker with options that it knows', { timeout: 120_000 }, async () => {
  const [, command = ''] = /^ExecStart=(.*)$/m.exec(block('`/etc/systemd/system')) ?? [];
  const run = await runCli(await asRunHere(command.split(' ')));
  expect([run.code, run.stderr]).toEqual([NO_QUEUE, expect.stringContaining('There is no queue at')]);
});
