import { Marked, type Tokens } from 'marked';

/** A heading of a page with what stands under it, for lists of contents and searches. */
export interface Section {
  /** Anchor, unique on its page. */
  id: string;
  /** 1–6 */
  level: number;
  title: string;
  /** Plain text up to the next heading. */
  text: string;
}

/** Pictures by file name; links and pictures that lead elsewhere are written out as text. */
export interface Surroundings {
  pictures: ReadonlyMap<string, string>;
}

/** As GitHub makes anchors of headings: the documents link to each other by them. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

/** Anchors of one page, in the order of its headings: the second of a name gets “-1”, as on GitHub. */
function anchors(): (title: string) => string {
  const seen = new Map<string, number>();
  return (title) => {
    const anchor = anchorOf(plain(title));
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${String(before)}`;
  };
}

const escaped: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => escaped[sign] ?? sign);

const plain = (text: string): string =>
  text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[*`|]/g, '');

/** The sections of a page, in order. */
export function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  const idOf = anchors();
  for (const token of new Marked().lexer(text)) {
    if (token.type === 'heading') {
      const { depth, text: title } = token as Tokens.Heading;
      sections.push({ id: idOf(title), level: depth, title: plain(title), text: '' });
    } else {
      const last = sections.at(-1);
      if (last) last.text += `${plain(token.raw).replaceAll(/\s+/g, ' ')} `;
    }
  }
  return sections;
}

/**
 * HTML of a page of the documentation. Markup inside the page is shown as text, and no link leaves the window: those to
 * other pages keep their address for whoever listens to clicks, those to the web are written out.
 */
export function render(text: string, { pictures }: Surroundings): string {
  const idOf = anchors();
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: title }) {
        const level = String(depth);
        return `<h${level} id="${escape(idOf(title))}">${this.parser.parseInline(tokens)}</h${level}>\n`;
      },
      link({ href, tokens }) {
        const label = this.parser.parseInline(tokens);
        if (/^(#|[\w./-]+\.md(#|$))/.test(href)) return `<a href="${escape(href)}">${label}</a>`;
        return label === escape(href) ? label : `${label} (<span class="address">${escape(href)}</span>)`;
      },
      image({ href, text: alternative }) {
        const url = pictures.get(href.split('/').at(-1) ?? '');
        return url === undefined
          ? escape(alternative)
          : `<img src="${escape(url)}" alt="${escape(alternative)}" loading="lazy">`;
      },
      html: ({ text: markup }) => escape(markup),
    },
  });
  return marked.parse(text, { async: false });
}
