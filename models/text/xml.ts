import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { decodeText, decodeWindows1252 } from './encoding.ts';

/** An element of a document whose names, attributes and texts matter; comments and instructions are left out. */
export interface XmlElement {
  /** Without its namespace. */
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly XmlElement[];
  /** Of the element itself, not of its children. */
  text: string;
}

/** A document that is not read: where, from 1, and why. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** Deeper documents are none that a program for music writes. */
const MAX_DEPTH = 100;

/** An XML says in its first line what it is in; what it says wrongly, or not at all, is told from its bytes. */
export function xmlText(bytes: Uint8Array): string {
  const declared = /^<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/i.exec(
    Buffer.from(bytes.subarray(0, 200)).toString('latin1'),
  )?.[1];
  return /^(iso-?8859-1|latin-?1|windows-1252|cp1252)$/i.test(declared ?? '')
    ? decodeWindows1252(bytes)
    : decodeText(bytes);
}

/**
 * The elements of a document, outermost first. Documents with a type are refused: entity declarations are what makes XML
 * dangerous, and nothing that is read here has any.
 * @throws XmlError
 */
export function parseXml(text: string): XmlElement[] {
  const declaration = text.search(/<!(DOCTYPE|ENTITY)/i);
  if (declaration >= 0) throw errorAt(text, declaration, 'Document types are not read.');
  // The successor is a package of its own; this one is maintained as part of the parser.
  // oxlint-disable-next-line typescript/no-deprecated
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new XmlError(valid.err.msg, valid.err.line, valid.err.col);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseAttributeValue: false,
    parseTagValue: false,
    removeNSPrefix: true,
    preserveOrder: true,
    // Its successor wants a decoder of one's own.
    // oxlint-disable-next-line typescript/no-deprecated
    htmlEntities: true,
    maxNestedTags: MAX_DEPTH,
    // Blanks at the ends of a name belong to it.
    trimValues: false,
  });
  try {
    return elementsOf(parser.parse(text));
  } catch (error) {
    throw errorAt(text, 0, error instanceof Error ? error.message : String(error));
  }
}

/** All elements of a name, at whatever depth, in the order of the document. */
export function* elementsNamed(elements: readonly XmlElement[], name: string): Generator<XmlElement> {
  for (const element of elements) {
    if (element.name === name) yield element;
    yield* elementsNamed(element.children, name);
  }
}

/** The parser gives every element as `{ name: [children], ':@': attributes }`, and a text as `{ '#text': text }`. */
function elementsOf(nodes: unknown): XmlElement[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown) => {
    if (typeof node !== 'object' || node === null) return [];
    const fields = Object.entries(node as Record<string, unknown>);
    const own = fields.find(([key]) => key !== ':@' && key !== '#text');
    if (!own || own[0].startsWith('?')) return [];
    const [name, inside] = own;
    const attributes = textsOf(fields.find(([key]) => key === ':@')?.[1]);
    return [{ name, attributes, children: elementsOf(inside), text: textOf(inside) }];
  });
}

function textsOf(attributes: unknown): Record<string, string> {
  if (typeof attributes !== 'object' || attributes === null) return {};
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'string' ? [[key, value]] : [],
    ),
  );
}

function textOf(inside: unknown): string {
  if (!Array.isArray(inside)) return '';
  return inside
    .map((node: unknown) => {
      const text: unknown = typeof node === 'object' && node !== null && '#text' in node ? node['#text'] : '';
      return typeof text === 'string' ? text : '';
    })
    .join('');
}

function errorAt(text: string, at: number, what: string): XmlError {
  const before = text.slice(0, at).split('\n');
  return new XmlError(what, before.length, (before.at(-1)?.length ?? 0) + 1);
}
