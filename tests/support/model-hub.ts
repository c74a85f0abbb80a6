import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file that the hub offers. */
export interface HubFile {
  /** Where it lies on this machine. */
  path: string;
  /** The connection breaks after so many bytes of each of the first answers. */
  breakAfter?: number[];
}

/** A local server that answers as a model hub does. */
export interface TestHub {
  url: string;
  /** Requests that were answered: method, path, range. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Starts a hub with repositories of files.
 * @param files by `owner/name/path/in/repository`, or by any other path of the server
 */
export async function startHub(files: Readonly<Record<string, HubFile>>, licence?: string): Promise<TestHub> {
  const requests: string[] = [];
  const breaks = new Map(Object.entries(files).map(([name, file]) => [name, [...(file.breakAfter ?? [])]]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname);
    requests.push([request.method, path, request.headers.range].filter(Boolean).join(' '));
    const listing = /^\/api\/models\/([^/]+\/[^/]+)$/.exec(path)?.[1];
    if (listing !== undefined) {
      answerListing(response, listing, Object.keys(files), licence);
      return;
    }
    const name = path.slice(1).replace('/resolve/main/', '/');
    const file = files[name];
    if (file === undefined || !existsSync(file.path)) response.writeHead(404).end();
    else
      answerFile(
        request,
        response,
        file.path,
        request.method === 'GET' ? breaks.get(name)?.shift() : undefined,
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answerListing(
  response: ServerResponse,
  repository: string,
  names: readonly string[],
  licence: string | undefined,
): void {
  const inside = names.filter((name) => name.startsWith(`${repository}/`));
  if (inside.length === 0) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Repository not found"}');
    return;
  }
  const siblings = inside.map((name) => ({ rfilename: name.slice(repository.length + 1) }));
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ siblings, ...(licence === undefined ? {} : { cardData: { license: licence } }) }));
}

function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  breakAfter: number | undefined,
): void {
  const { size, mtimeMs } = statSync(path);
  const etag = `"${size}-${mtimeMs}"`;
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const same = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const start = asked !== undefined && same ? Number(asked) : 0;
  if (start >= size) {
    response.writeHead(416).end();
    return;
  }
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    'content-length': size - start,
    'accept-ranges': 'bytes',
    ...(start > 0 ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const end = breakAfter === undefined ? size - 1 : start + breakAfter - 1;
  const stream = createReadStream(path, { start, end });
  if (breakAfter === undefined) stream.pipe(response);
  else {
    stream.pipe(response, { end: false });
    // The bytes get out before the connection is cut.
    stream.on('end', () => setTimeout(() => response.destroy(), 50));
  }
}
