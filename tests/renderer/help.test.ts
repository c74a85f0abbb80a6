import { describe, expect, it } from 'vitest';
import { anchorOf, render, sectionsOf } from '../../renderer/src/about/markdown.ts';
import { audioDevices } from '../../renderer/src/player/devices.ts';
import { pages, pictures, searchPages } from '../../renderer/src/about/pages.ts';

const none = { pictures: new Map<string, string>() };

describe('the documentation in the window', () => {
  it('has every anchor and page that its links name, and every picture', () => {
    const broken: string[] = [];
    const anchors = new Map(
      pages.map(({ file, text }) => [file as string, new Set(sectionsOf(text).map(({ id }) => id))]),
    );
    for (const { file, text } of pages) {
      for (const [, href = ''] of render(text, { pictures }).matchAll(/<a href="([^"]*)"/g)) {
        const [path = '', id] = href.split('#');
        const target = anchors.get(path === '' ? file : (path.split('/').at(-1) ?? ''));
        // Documents for contributors are not in the window.
        if (target === undefined && /architecture|adr\/|parity|CONTRIBUTING|hostile/.test(path)) continue;
        if (target === undefined || (id !== undefined && !target.has(id))) broken.push(`${file}: ${href}`);
      }
      for (const [, name = ''] of text.matchAll(/!\[[^\]]*\]\(images\/([^)]+)\)/g))
        if (!pictures.has(name)) broken.push(`${file}: picture ${name}`);
    }
    expect(broken).toEqual([]);
  });

  it('tells headings of one name on a page apart', () => {
    const text = '# A\n\n## Added\n\nx\n\n## Added\n\n## Added';
    expect(sectionsOf(text).map(({ id }) => id)).toEqual(['a', 'added', 'added-1', 'added-2']);
    expect(render(text, none)).toContain('<h2 id="added-2">');
  });

  it('makes text of markup inside a page, and of links that leave the window', () => {
    const html = render(
      '# A `b` & c\n\n<script>alert(1)</script>\n\n[x](https://e.org) ![p](images/q.png)',
      none,
    );
    expect(html).toContain('<h1 id="a-b--c">');
    expect(html).not.toContain('<script>');
    expect(html).toContain('x (<span class="address">https://e.org</span>)');
    expect(html).not.toContain('<img');
    expect(render('[x](javascript:alert(1))', none)).not.toContain('<a ');
    expect(anchorOf('Träne: 2 × 3')).toBe('träne-2--3');
  });

  it('is searched for all words, titles first', () => {
    expect(searchPages('  ')).toEqual([]);
    expect(searchPages('xyzzy-nowhere')).toEqual([]);
    const found = searchPages('threshold');
    expect(found.length).toBeGreaterThan(1);
    for (const { section } of found)
      expect(`${section.title} ${section.text}`.toLowerCase()).toContain('threshold');
  });

  it('offers outputs by name, or by number where the system tells none', async () => {
    const device = (kind: MediaDeviceKind, deviceId: string, label: string): MediaDeviceInfo => ({
      ...{ kind, deviceId, label, groupId: '' },
      toJSON: () => ({}),
    });
    const all = [
      device('audioinput', 'm', 'Mic'),
      device('audiooutput', 'default', 'D'),
      device('audiooutput', 'a', ''),
      device('audiooutput', 'b', 'Desk'),
    ];
    const named = await audioDevices({ enumerateDevices: () => Promise.resolve(all) }, 'audiooutput');
    expect(named).toEqual([
      { id: 'a', name: 'Output 1' },
      { id: 'b', name: 'Desk' },
    ]);
    expect(await audioDevices(undefined, 'audiooutput')).toEqual([]);
    expect(
      await audioDevices({ enumerateDevices: () => Promise.reject(new Error('no')) }, 'audioinput'),
    ).toEqual([]);
  });
});
