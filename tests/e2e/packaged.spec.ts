/**
 * What the packaged program must be, asserted on it as it is shipped: `npm run package`, then
 * `npx playwright test tests/e2e/packaged.spec.ts`. It cannot be driven as the others are (the fuse is off), so that its
 * window is reached over Chromium's own protocol.
 */
import { extractFile, getRawHeader, listPackage, statFile } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { chromium, expect, test } from '@playwright/test';
import type { Browser, Page } from '@playwright/test';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository, temporaryFolder } from './support/app.ts';

const folder = join(repository, 'out', `Archetone-${process.platform}-${process.arch}`);
const program = join(folder, 'archetone');
const resources = join(folder, 'resources');
const archive = join(resources, 'app.asar');

test.skip(!existsSync(archive), `there is no packaged program in ${folder}: npm run package`);
test.skip(process.platform !== 'linux', 'the layout of the packaged program is that of Linux');
test.describe.configure({ mode: 'serial' });

const files = (): string[] => listPackage(archive, { isPack: false });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As they stand in the program: the characters 0 and 1. */
const [off, on] = [0x30, 0x31];
const fuses: [string, FuseV1Options, number][] = [
  ['01 does not run as plain Node', FuseV1Options.RunAsNode, off],
  ['02 takes no options of Node', FuseV1Options.EnableNodeOptionsEnvironmentVariable, off],
  ['03 cannot be debugged from outside', FuseV1Options.EnableNodeCliInspectArguments, off],
  ['04 encrypts cookies', FuseV1Options.EnableCookieEncryption, on],
  ['05 checks its archive', FuseV1Options.EnableEmbeddedAsarIntegrityValidation, on],
  ['06 loads itself from the archive only', FuseV1Options.OnlyLoadAppFromAsar, on],
  ['07 gives files no privileges', FuseV1Options.GrantFileProtocolExtraPrivileges, off],
];
for (const [name, fuse, state] of fuses)
  test(name, async () => {
    expect((await getCurrentFuseWire(program))[fuse]).toBe(state);
  });

test('08 has no code beside the archive but what must be there', () => {
  expect(readdirSync(resources).sort()).toEqual(
    [
      ...['256.png', 'LICENSE', 'NOTICES.md', 'app.asar', 'app.asar.unpacked'],
      ...['packs', 'samples', 'sounds', 'basic-pitch', 'sbom.cdx.json'],
    ].sort(),
  );
  const outside = files().filter((file) => {
    const entry = statFile(archive, file.slice(1)) as { unpacked?: boolean; files?: unknown };
    return entry.unpacked === true && entry.files === undefined;
  });
  for (const file of outside)
    expect(file).toMatch(
      /^\/dist\/node\/([\w-]+\.js|package\.json)$|^\/node_modules\/.*\.(node|so|so\..*|dylib|dll)$/,
    );
});

test('09 holds every file as the hashes of the archive say', () => {
  expect(getRawHeader(archive).headerString).toContain('"integrity"');
  for (const file of files()) {
    const entry = statFile(archive, file.slice(1)) as {
      files?: unknown;
      link?: string;
      integrity?: { hash: string };
    };
    if (entry.files !== undefined || entry.link !== undefined) continue;
    expect(sha256(extractFile(archive, file.slice(1))), file).toBe(entry.integrity?.hash);
  }
});

test('10 knows the files that its threads start from', () => {
  const hashes = JSON.parse(extractFile(archive, 'dist/electron/installed.json').toString()) as Record<
    string,
    string
  >;
  expect(Object.keys(hashes).sort()).toEqual(['dataset-worker.js', 'decode-worker.js', 'label-worker.js']);
  for (const [name, hash] of Object.entries(hashes))
    expect(sha256(readFileSync(join(resources, 'app.asar.unpacked/dist/node', name))), name).toBe(hash);
});

test('10b says that those are modules, whatever stands in the folders above', () => {
  const path = join(resources, 'app.asar.unpacked/dist/node/package.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ type: 'module' });
});

test('11 carries no sources, maps, tests or binaries of other systems', () => {
  const wrong = files().filter((file) =>
    /\.(map|ts|svelte)$|^\/(tests|engine|models|scripts|docs)\/|napi-v\d+\/(darwin|win32)/.test(
      file.replace(/^\/node_modules\/.*\.ts$/, ''),
    ),
  );
  expect(wrong).toEqual([]);
});

test('12 carries the notices of everything that it is made of', () => {
  const notices = readFileSync(join(resources, 'NOTICES.md'), 'utf8');
  expect(extractFile(archive, 'NOTICES.md').toString()).toBe(notices);
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) expect(notices, name).toContain(`| ${name} |`);
  expect(notices).toContain('LGPL');
});

test('12b lists all of it as a bill of materials, with hashes', () => {
  const bom = JSON.parse(readFileSync(join(resources, 'sbom.cdx.json'), 'utf8')) as {
    bomFormat: string;
    components: { name: string; version: string; purl?: string; hashes?: unknown[] }[];
  };
  expect(bom.bomFormat).toBe('CycloneDX');
  const named = new Map(bom.components.map((component) => [component.name, component]));
  for (const [, name = ''] of readFileSync(join(resources, 'NOTICES.md'), 'utf8').matchAll(
    /^\| (\S+) \| \d/gm,
  )) {
    expect(named.get(name)?.purl, name).toContain('pkg:npm/');
    expect(named.get(name)?.hashes, name).toHaveLength(1);
  }
  const { version } = named.get('electron') ?? {};
  expect(version).toBe(readFileSync(join(folder, 'version'), 'utf8').trim().replace(/^v/, ''));
  expect(named.get('compact')).toBeDefined();
});

test('13 carries its licence, and those of Electron and Chromium', () => {
  for (const file of ['LICENSE', 'LICENSES.chromium.html'])
    expect(existsSync(join(folder, file)), file).toBe(true);
  expect(readFileSync(join(resources, 'LICENSE'), 'utf8')).toContain('Apache License');
});

test.describe('when it runs', () => {
  const userData = temporaryFolder('packaged');
  let child: ChildProcess;
  let browser: Browser;
  let page: Page;
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });

  test.beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    child = spawn(program, [...root, '--remote-debugging-port=0', `--user-data-dir=${userData}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const { stderr } = child;
    if (!stderr) throw new Error('no stderr');
    const address = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`ended with ${String(code)}`)));
      createInterface({ input: stderr }).on('line', (line) => {
        const found = /DevTools listening on (ws:\/\/\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    browser = await chromium.connectOverCDP(address);
    const [context] = browser.contexts();
    await expect
      .poll(() => context?.pages().some((each) => each.url().startsWith('archetone://app/')), {
        timeout: 60_000,
      })
      .toBe(true);
    const found = context?.pages().find((each) => each.url().startsWith('archetone://app/'));
    if (!found) throw new Error('no window');
    page = found;
    await expect(page.getByTestId('open-folder').first()).toBeVisible({ timeout: 60_000 });
  });

  test.afterAll(async () => {
    await browser.close();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
    server.close();
    rmSync(userData, { recursive: true, force: true });
  });

  const port = (): number => (server.address() as AddressInfo).port;

  test('14 shows its window under a policy that lets nothing in', async () => {
    const policy = await page.evaluate(async () =>
      (await fetch('archetone://app/index.html')).headers.get('content-security-policy'),
    );
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("'unsafe-eval'");
    expect(policy).not.toMatch(/https?:|\*/);
    const scripts = await page.evaluate(() => [...document.scripts].map(({ src }) => src));
    for (const src of scripts) expect(src).toMatch(/^archetone:\/\/app\//);
  });

  test('21 keeps the processes of the models and of the readers in', async () => {
    await page.getByTestId('open-demo').click();
    const confined = (): number =>
      readdirSync('/proc').filter((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          const status = readFileSync(`/proc/${pid}/status`, 'utf8');
          return (
            command.includes(userData) &&
            command.includes('node.mojom.NodeService') &&
            /^NoNewPrivs:\t1$/m.test(status) &&
            /^Seccomp:\t2$/m.test(status)
          );
        } catch {
          // No process, or one that has just ended.
          return false;
        }
      }).length;
    await expect.poll(confined, { timeout: 60_000 }).toBe(2);
  });

  test('15 gives the page no Node, only the named verbs', async () => {
    const seen = await page.evaluate(() => ({
      node: ['process', 'require', 'module', 'Buffer', 'global'].filter((name) => name in globalThis),
      verbs: Object.keys((globalThis as unknown as { archetone: object }).archetone).sort(),
    }));
    expect(seen.node).toEqual([]);
    expect(seen.verbs).toEqual(
      [
        ...[
          'allowRecording',
          'chooseAudio',
          'chooseFile',
          'chooseFolder',
          'onMenuCommand',
          'onOpen',
          'pathOf',
          'platform',
        ],
        ...['reveal', 'setMenu', 'setTextSize', 'setTheme', 'startDrag', 'versions'],
      ].sort(),
    );
  });

  test('16 goes nowhere else and opens nothing', async () => {
    const opened = await page.evaluate((url) => window.open(url) === null, `http://127.0.0.1:${port()}/`);
    expect(opened).toBe(true);
    await page.evaluate((url) => void (location.href = url), `http://127.0.0.1:${port()}/`);
    await page.waitForTimeout(500);
    expect(page.url()).toMatch(/^archetone:\/\/app\//);
  });

  test('17 reaches no network, whatever a script tries', async () => {
    await page.evaluate(async (where) => {
      const quietly = async (work: () => Promise<unknown>): Promise<void> => {
        await work().catch(() => undefined);
      };
      await quietly(() => fetch(`http://${where}/`, { mode: 'no-cors' }));
      await quietly(async () => {
        navigator.sendBeacon(`http://${where}/`, 'x');
        await Promise.resolve();
      });
      await quietly(
        () =>
          new Promise((resolve) => {
            const image = new Image();
            image.onload = image.onerror = resolve;
            image.src = `http://${where}/x.png`;
          }),
      );
      await quietly(
        () =>
          new Promise((resolve) => {
            const socket = new WebSocket(`ws://${where}/`);
            socket.onopen = socket.onerror = resolve;
          }),
      );
    }, `127.0.0.1:${port()}`);
    expect(connections).toBe(0);
  });

  test('18 serves its own files only', async () => {
    const answers = await page.evaluate(async () => {
      const status = async (url: string): Promise<number | string> =>
        fetch(url).then(
          (response) => response.status,
          () => 'refused',
        );
      return {
        up: await status('archetone://app/..%2f..%2f..%2f..%2fetc%2fpasswd'),
        package: await status('archetone://app/../../package.json'),
        token: await status('archetone://audio/nonsense'),
        host: await status('archetone://elsewhere/'),
        file: await status('file:///etc/passwd'),
      };
    });
    for (const [what, answer] of Object.entries(answers))
      expect([403, 404, 400, 'refused'], what).toContain(answer);
  });

  test('19 is given no permission', async () => {
    const states = await page.evaluate(async () => {
      const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi'];
      const states: string[] = [];
      for (const name of names)
        states.push(
          await navigator.permissions.query({ name: name as PermissionName }).then(
            ({ state }) => state,
            () => 'denied',
          ),
        );
      states.push(
        await navigator.mediaDevices.getUserMedia({ audio: true }).then(
          () => 'granted',
          () => 'denied',
        ),
      );
      return states;
    });
    expect(states).not.toContain('granted');
  });

  test('20 names and shows no file that nobody chose', async () => {
    const told = await page.evaluate(async () => {
      const { archetone } = globalThis as unknown as {
        archetone: { reveal(path: string): Promise<void>; pathOf(file: File): Promise<string> };
      };
      return {
        shown: await archetone.reveal('/etc/passwd').then(
          () => 'shown',
          (error: unknown) => String(error),
        ),
        forged: await archetone.pathOf(new File(['x'], '/etc/passwd')),
      };
    });
    expect(told.shown).toContain('Refused');
    expect(told.forged).toBe('');
  });
});
