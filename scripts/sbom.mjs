/**
 * Writes dist/sbom.cdx.json, the bill of materials of what is shipped (CycloneDX 1.6): the libraries that the bundles are
 * made of, by package-lock.json with the hashes that were checked when they were installed, Electron, and the packs.
 * Without time and serial number, so that the same build has the same bytes.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib.mjs';
import { describe, shipped } from './notices.mjs';

const read = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

/** What npm writes: “sha512-…” in Base64. CycloneDX wants the name and hexadecimal digits. */
function hashOf(integrity) {
  const [, bits, base64] = /^sha(\d+)-(\S+)/.exec(integrity ?? '') ?? [];
  if (!bits) return [];
  return [
    {
      alg: bits === '1' ? 'SHA-1' : `SHA-${bits}`,
      content: Buffer.from(base64, 'base64').toString('hex'),
    },
  ];
}

/** An SPDX name, an SPDX expression, or words. */
const licencesOf = (licence) =>
  / (OR|AND|WITH) /.test(licence)
    ? [{ expression: licence.replace(/^\((.*)\)$/, '$1') }]
    : [{ license: /^[\w.+-]+$/.test(licence) ? { id: licence } : { name: licence } }];

const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

export function bill(electronVersion) {
  const { version } = read('package.json');
  const { packages } = read('package-lock.json');
  const libraries = shipped().map((name) => {
    const { version: installed, licence } = describe(name);
    const locked = packages[`node_modules/${name}`];
    if (locked?.version !== installed) throw new Error(`${name} is not as package-lock.json has it`);
    const purl = purlOf(name, installed);
    return {
      ...{ type: 'library', 'bom-ref': purl, name, version: installed, purl },
      ...{ licenses: licencesOf(licence), hashes: hashOf(locked.integrity) },
    };
  });
  const electron = {
    ...{ type: 'framework', 'bom-ref': `pkg:npm/electron@${electronVersion}`, name: 'electron' },
    ...{ version: electronVersion, purl: `pkg:npm/electron@${electronVersion}` },
    licenses: licencesOf('MIT'),
  };
  const packs = readdirSync(join(root, 'models', 'packs'))
    .filter((name) => existsSync(join(root, 'models', 'packs', name, 'pack.json')))
    .map((name) => {
      const manifest = read('models', 'packs', name, 'pack.json');
      return {
        ...{ type: 'machine-learning-model', 'bom-ref': `pack:${name}`, name, version: manifest.version },
        licenses: licencesOf(manifest.licence),
      };
    });
  return {
    ...{ $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', bomFormat: 'CycloneDX' },
    ...{ specVersion: '1.6', version: 1 },
    metadata: {
      component: {
        ...{ type: 'application', 'bom-ref': 'archetone', name: 'Archetone', version },
        licenses: licencesOf('Apache-2.0'),
      },
    },
    components: [electron, ...libraries, ...packs],
  };
}

export function writeSbom(electronVersion) {
  const path = join(root, 'dist', 'sbom.cdx.json');
  writeFileSync(path, `${JSON.stringify(bill(electronVersion), null, 2)}\n`);
  return path;
}
