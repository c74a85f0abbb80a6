/**
 * Installs the Debian package into a clean Debian, uses it there as a person would, and removes it again:
 *   node scripts/try-deb.mjs [file.deb] [--root folder]
 * Needs root and debootstrap, and therefore is no part of `npm test`; where one is missing it says so and does nothing.
 * @see docs/installing.md for what it found
 */
import { chromium } from '@playwright/test';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, onPath, root, say } from './lib.mjs';

const suite = 'bookworm';
const person = 'listener';
const home = `/home/${person}`;
const seconds = 1000;

const args = process.argv.slice(2);
const rootAt = args.indexOf('--root');
const given = rootAt < 0 ? null : args.splice(rootAt, 2)[1];

function skip(why) {
  say(`Skipped: ${why}`);
  process.exit(0);
}

function packageFile() {
  if (args[0]) return args[0];
  const folder = join(root, 'out', 'make', 'deb', process.arch);
  const file = existsSync(folder) && readdirSync(folder).find((name) => name.endsWith('.deb'));
  return file ? join(folder, file) : skip('there is no Debian package: npm run make');
}

if (process.platform !== 'linux' || process.getuid() !== 0) skip('a clean Debian is made by root on Linux.');
const deb = packageFile();
const debian = given ?? mkdtempSync(join(tmpdir(), 'archetone-debian-'));
// A new folder is its maker's alone, and the root of a system must be open to who is not root.
chmodSync(debian, 0o755);
if (!existsSync(join(debian, 'etc/debian_version'))) {
  if (!onPath('debootstrap')) skip('debootstrap is not installed.');
  say(`Making a clean Debian (${suite}) in ${debian} …`);
  const made = spawnSync('debootstrap', ['--variant=minbase', suite, debian], { stdio: 'ignore' });
  if (made.status !== 0) fail('debootstrap did not succeed.');
}
for (const file of ['resolv.conf', 'hosts']) copyFileSync(`/etc/${file}`, join(debian, 'etc', file));
for (const [type, source, folder] of [
  ['proc', 'proc', 'proc'],
  ['tmpfs', 'tmpfs', 'dev/shm'],
]) {
  const target = join(debian, folder);
  if (spawnSync('mountpoint', ['-q', target]).status !== 0) spawnSync('mount', ['-t', type, source, target]);
}

/** Runs a command inside; @returns what it said */
function inside(command, { as = 'root', mayFail = false } = {}) {
  const user = as === 'root' ? [] : [`--userspec=${as}`];
  const { status, stdout, stderr } = spawnSync('chroot', [...user, debian, 'sh', '-c', command], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: as === 'root' ? '/root' : home, LANG: 'C.UTF-8' },
  });
  if (status !== 0 && !mayFail) fail(`${command}\n${stdout}\n${stderr}`);
  return stdout.trim();
}

const found = [];
function check(what, good, detail = '') {
  found.push({ what, good, detail });
  say(`${good ? 'ok  ' : 'BAD '} ${what}${detail ? ` (${detail})` : ''}`);
}

async function until(isSo, limit = 60 * seconds) {
  const end = Date.now() + limit;
  while (!(await isSo())) {
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return true;
}

const apt = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends';
// What a desktop has and this Debian has not: a display, and what reads file types and menu entries.
inside(`apt-get -q update && ${apt} install xvfb xauth desktop-file-utils libglib2.0-bin`);
inside(`id ${person} >/dev/null 2>&1 || useradd -m ${person}`);
const before = inside("dpkg-query -W -f '${Package}\\n'").split('\n');

copyFileSync(deb, join(debian, 'tmp/archetone.deb'));
inside(`${apt} install /tmp/archetone.deb`);
const after = inside("dpkg-query -W -f '${Package}\\n'").split('\n');
check(
  'installs by apt, with what it depends on',
  after.includes('archetone'),
  `${basename(deb)}, ${after.length - before.length} packages`,
);
const owned = inside('dpkg -L archetone').split('\n');
const libraries = inside(
  "find /usr/lib/archetone -type f \\( -name '*.so*' -o -name '*.node' -o -name archetone \\) -exec ldd {} + 2>/dev/null | grep 'not found' | sort -u",
  { mayFail: true },
);
check('misses no library', libraries === '', libraries);
check(
  'stands in the menu',
  inside('desktop-file-validate /usr/share/applications/archetone.desktop', { mayFail: true }) === '',
);
writeFileSync(join(debian, home, 'library.archetone'), '{}');
writeFileSync(join(debian, home, 'model.safetensors'), 'not a model');
const asPerson = { as: person, mayFail: true };
const typeOf = (file) =>
  /content-type: (\S+)/.exec(inside(`gio info -a standard::content-type ${home}/${file}`, asPerson))?.[1];
const types = {
  'library.archetone': 'application/vnd.archetone.library+json',
  'model.safetensors': 'application/vnd.archetone.checkpoint',
};
for (const [file, type] of Object.entries(types)) {
  check(`knows ${file}`, typeOf(file) === type, typeOf(file));
  check('and opens it by double click', inside(`gio mime ${type}`, asPerson).includes('archetone.desktop'));
}

/** Starts it as a person, sandboxed; @returns the process and where its window is reached */
async function start(...more) {
  const command = [
    'env',
    `HOME=${home}`,
    'LANG=C.UTF-8',
    'PATH=/usr/bin:/bin',
    'xvfb-run',
    '-a',
    'archetone',
  ];
  const child = spawn(
    'chroot',
    [`--userspec=${person}`, debian, ...command, '--remote-debugging-port=0', ...more],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH }, detached: true },
  );
  const said = [];
  const address = await new Promise((resolve) => {
    child.once('exit', () => resolve(null));
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const at = /DevTools listening on (ws:\/\/\S+)/.exec(line)?.[1];
      if (at) resolve(at);
    });
  });
  if (address === null) fail(`It does not start:\n${said.join('\n')}`);
  return { child, address };
}

async function windowOf(address) {
  const browser = await chromium.connectOverCDP(address);
  const pages = () => browser.contexts().flatMap((context) => context.pages());
  const isOurs = (page) => page.url().startsWith('archetone://app/');
  if (!(await until(() => pages().some(isOurs)))) fail('There is no window.');
  return { browser, page: pages().find(isOurs) };
}

/** Closes its window as a person does; @returns whether it ended by itself, with success */
async function close({ child }, { browser, page }) {
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  await page.evaluate(() => setTimeout(() => window.close(), 50));
  const code = await Promise.race([
    ended,
    new Promise((resolve) => setTimeout(() => resolve('none'), 60 * seconds)),
  ]);
  await browser.close().catch(() => undefined);
  if (code === 'none') process.kill(-child.pid, 'SIGKILL');
  return code === 0;
}

const begun = Date.now();
const first = await start();
const shown = await windowOf(first.address);
await shown.page
  .getByTestId('open-demo')
  .first()
  .waitFor({ timeout: 60 * seconds });
check(
  'starts as a person who is not root',
  true,
  `window after ${((Date.now() - begun) / seconds).toFixed(1)} s`,
);
const running = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout.split('\n');
const ours = running.filter((line) => line.includes('/usr/lib/archetone/archetone'));
check(
  'with the sandbox of Chromium',
  ours.length > 0 && !ours.some((line) => line.includes('--no-sandbox')),
  `${ours.length} processes`,
);
await shown.page.getByTestId('nav-about').click();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const about = () => shown.page.getByTestId('about-installation').innerText();
check('tells its version', await until(async () => (await about()).includes(version), 20 * seconds), version);
await shown.page.getByTestId('nav-welcome').click();
await shown.page.getByTestId('open-demo').first().click();
const ready = shown.page.getByText(/tracks ready/).first();
check(
  'reads and embeds the demo samples',
  await ready.waitFor({ timeout: 300 * seconds }).then(
    () => true,
    () => false,
  ),
  await ready.innerText().catch(() => ''),
);
spawnSync(
  'chroot',
  [
    `--userspec=${person}`,
    debian,
    'env',
    `HOME=${home}`,
    'xvfb-run',
    '-a',
    'archetone',
    `${home}/model.safetensors`,
  ],
  { env: { PATH: process.env.PATH }, timeout: 60 * seconds },
);
const problem = shown.page.getByTestId('add-pack-problem');
check(
  'opens a file by a second start in the same window, and says what is wrong with it',
  await problem.waitFor({ timeout: 30 * seconds }).then(
    () => true,
    () => false,
  ),
  await problem.innerText().catch(() => ''),
);
await shown.page.getByTestId('nav-library').click();
await shown.page.getByTestId('track-search').waitFor();
check('closes with its window', await close(first, shown));

const again = await start();
const back = await windowOf(again.address);
const there = await back.page
  .getByTestId('track-search')
  .waitFor({ timeout: 60 * seconds })
  .then(
    () => true,
    () => false,
  );
check('starts again with the library that was open', there);
check('closes again', await close(again, back));

inside(`${apt} remove archetone`);
const left = owned.filter((path) => /archetone/.test(path) && existsSync(join(debian, path)));
check('leaves nothing of itself when removed', left.length === 0, left.join(', '));
check('nor its file type', typeOf('library.archetone') !== types['library.archetone']);
check(
  'but what the person has made',
  existsSync(join(debian, home, '.config/Archetone/libraries')) ||
    existsSync(join(debian, home, '.config/archetone/libraries')),
);
for (const folder of ['dev/shm', 'proc']) spawnSync('umount', [join(debian, folder)]);
const bad = found.filter(({ good }) => !good);
say(`${found.length - bad.length} of ${found.length} as they should be.`);
process.exit(bad.length === 0 ? 0 : 1);
