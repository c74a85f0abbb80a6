import { protocol } from 'electron';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import { fileToOpen } from '../engine/media.ts';
import { paths } from './paths.ts';
import { parseRange } from './range.ts';
import { appOrigin, decoderPolicy, scheme, windowPolicy } from './security.ts';

const mimeTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** Finds the file behind a token that the engine gave out; null for tokens it never gave. */
export type MediaResolver = (token: string) => Promise<{ path: string; mime: string } | null>;

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme,
      privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, corsEnabled: true },
    },
  ]);
}

async function pageFile(root: string, pathname: string, policy: string): Promise<Response> {
  const file = normalize(join(root, decodeURIComponent(pathname === '/' ? '/index.html' : pathname)));
  if (!file.startsWith(root + sep)) return new Response(null, { status: 403 });
  const body = await readFile(file).catch(() => null);
  if (!body) return new Response(null, { status: 404 });
  return new Response(new Uint8Array(body), {
    headers: {
      'content-type': mimeTypes[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
    },
  });
}

/** Streams an audio file with range requests, so that seeking works in files of any length. */
async function mediaFile(request: Request, token: string, resolve: MediaResolver): Promise<Response> {
  const media = await resolve(token);
  const file = media ? fileToOpen(media.path) : '';
  const info = media ? await stat(file).catch(() => null) : null;
  if (!media || !info?.isFile()) return new Response(null, { status: 404 });
  const range = parseRange(request.headers.get('range'), info.size);
  const headers = new Headers({
    'content-type': media.mime,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'access-control-allow-origin': appOrigin,
  });
  if (range === 'unsatisfiable') {
    headers.set('content-range', `bytes */${String(info.size)}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: info.size - 1 };
  headers.set('content-length', String(end - start + 1));
  if (range) headers.set('content-range', `bytes ${String(start)}-${String(end)}/${String(info.size)}`);
  const body =
    info.size === 0 ? null : (Readable.toWeb(createReadStream(file, { start, end })) as ReadableStream);
  return new Response(body, { status: range ? 206 : 200, headers });
}

/** `archetone://app` is the window, `archetone://decoder` the hidden decoder page, `archetone://audio/<token>` audio. */
export function setupProtocol(resolve: MediaResolver): void {
  protocol.handle(scheme, async (request) => {
    const url = new URL(request.url);
    if (request.method !== 'GET') return new Response(null, { status: 405 });
    switch (url.hostname) {
      case 'app':
        return pageFile(paths.renderer, url.pathname, windowPolicy);
      case 'decoder':
        // The decoder page reads audio from its own origin, so that no cross-origin request is ever needed.
        return url.pathname.startsWith('/audio/')
          ? mediaFile(request, url.pathname.slice('/audio/'.length), resolve)
          : pageFile(paths.decoderPage, url.pathname, decoderPolicy);
      case 'audio':
        return mediaFile(request, url.pathname.slice(1), resolve);
      default:
        return new Response(null, { status: 404 });
    }
  });
}
