/** Packs out/Archetone-linux-… as a Debian package that owns its menu entry, icons and file types. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { fail, onPath, root, run } from './lib.mjs';

const architectures = { x64: 'amd64', arm64: 'arm64' };
const iconSizes = [16, 24, 32, 48, 64, 128, 256, 512];
/** What Electron loads; later releases of Debian and Ubuntu renamed some. */
const depends = [
  ...['libgtk-3-0 | libgtk-3-0t64', 'libnss3', 'libasound2 | libasound2t64', 'libgbm1', 'libdrm2'],
  ...['libatspi2.0-0 | libatspi2.0-0t64', 'libnotify4', 'libxss1', 'libxtst6', 'libsecret-1-0'],
  ...['shared-mime-info', 'xdg-utils'],
];

const desktopEntry = `[Desktop Entry]
Type=Application
Name=Archetone
GenericName=Music classifier
Comment=See, hear and edit what a music classifier has learned
Exec=archetone %f
Icon=archetone
Categories=AudioVideo;Audio;
MimeType=application/vnd.archetone.library+json;application/vnd.archetone.checkpoint;
StartupNotify=true
StartupWMClass=archetone
`;

/** A checkpoint has no type of its own; others open it, too, so that its name weighs less than theirs. */
const fileTypes = (endings) => `<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/vnd.archetone.library+json">
    <comment>Archetone library</comment>
    <sub-class-of type="application/json"/>
    <icon name="archetone"/>
${endings.library.map((ending) => `    <glob pattern="*.${ending}"/>`).join('\n')}
  </mime-type>
  <mime-type type="application/vnd.archetone.checkpoint">
    <comment>Checkpoint of a model</comment>
${endings.checkpoint.map((ending) => `    <glob weight="30" pattern="*.${ending}"/>`).join('\n')}
  </mime-type>
</mime-info>
`;

/** The endings that the application itself opens. */
function openedFiles() {
  const source = readFileSync(join(root, 'engine', 'api', 'shell.ts'), 'utf8');
  const list = (kind) =>
    [...(new RegExp(`${kind}: \\[([^\\]]*)\\]`).exec(source)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
      ([, ending]) => ending,
    );
  return { library: list('library'), checkpoint: list('checkpoint') };
}

export function writeDeb() {
  if (!onPath('dpkg-deb'))
    fail('dpkg-deb is needed to write a Debian package; it comes with Debian and Ubuntu.');
  const { version, description, author } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const source = join(root, 'out', `Archetone-linux-${process.arch}`);
  if (!existsSync(source)) fail(`${source} is not there: npm run package`);
  const architecture = architectures[process.arch] ?? process.arch;
  const staging = join(root, 'out', 'deb');
  rmSync(staging, { recursive: true, force: true });
  const write = (path, content) => {
    mkdirSync(dirname(join(staging, path)), { recursive: true });
    writeFileSync(join(staging, path), content, { mode: 0o644 });
  };

  const program = join(staging, 'usr/lib/archetone');
  mkdirSync(dirname(program), { recursive: true });
  cpSync(source, program, { recursive: true });
  // What was packaged may be for its owner alone; everybody starts what is installed.
  run('chmod', ['-R', 'u=rwX,go=rX', staging]);
  // Chromium's own helper: without the kernel's user namespaces it must be root's to confine what it starts.
  const helper = join(program, 'chrome-sandbox');
  if (existsSync(helper)) chmodSync(helper, 0o4755);
  mkdirSync(join(staging, 'usr/bin'));
  symlinkSync('../lib/archetone/archetone', join(staging, 'usr/bin/archetone'));

  write('usr/share/applications/archetone.desktop', desktopEntry);
  write('usr/share/mime/packages/archetone.xml', fileTypes(openedFiles()));
  for (const size of iconSizes) {
    const path = `usr/share/icons/hicolor/${size}x${size}/apps/archetone.png`;
    mkdirSync(dirname(join(staging, path)), { recursive: true });
    copyFileSync(join(root, 'dist/icons', `${size}.png`), join(staging, path));
  }
  const document = (name) => readFileSync(join(root, name), 'utf8');
  write('usr/share/doc/archetone/copyright', `${document('LICENSE')}\n${document('NOTICES.md')}`);
  write('usr/share/doc/archetone/changelog.gz', gzipSync(document('CHANGELOG.md'), { level: 9 }));

  const kilobytes = Number(spawnSync('du', ['-sk', staging], { encoding: 'utf8' }).stdout.split('\t')[0]);
  write(
    'DEBIAN/control',
    [
      'Package: archetone',
      `Version: ${version.replace('-', '~')}`,
      `Architecture: ${architecture}`,
      'Section: sound',
      'Priority: optional',
      `Maintainer: ${author.name} <${author.email}>`,
      `Installed-Size: ${kilobytes}`,
      `Depends: ${depends.join(', ')}`,
      `Description: ${description.replace(/\.$/, '')}`,
      ' It works on this machine and sends nothing anywhere.',
      '',
    ].join('\n'),
  );
  const folder = join(root, 'out', 'make', 'deb', process.arch);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `archetone_${version}_${architecture}.deb`);
  // Not xz: it takes minutes, for a tenth less.
  run('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z6', '--build', staging, file], { stdio: 'ignore' });
  rmSync(staging, { recursive: true, force: true });
  return `${file} (${Math.round(statSync(file).size / 1e6)} MB)`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(writeDeb());
