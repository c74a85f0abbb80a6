import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { storeSettings, type QdrantSettings } from '../../engine/stores/settings.ts';
import { cosineDistance, squaredDistance } from '../../models/numerics/distances.ts';
import { afterFile } from './after-file.ts';

const condition = z.strictObject({ key: z.string(), match: z.strictObject({ value: z.string() }) });
const filterSchema = z.strictObject({ must: z.array(condition), must_not: z.array(condition).default([]) });
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const bodies = {
  create: z.strictObject({
    vectors: z.strictObject({
      size: z.int().min(1),
      distance: z.enum(['Cosine', 'Euclid', 'Dot', 'Manhattan']),
    }),
  }),
  index: z.strictObject({ field_name: z.string(), field_schema: z.literal('keyword') }),
  upsert: z.strictObject({
    points: z
      .array(
        z.strictObject({ id: uuid, vector: z.array(z.number()), payload: z.record(z.string(), z.unknown()) }),
      )
      .min(1),
  }),
  delete: z.strictObject({ filter: filterSchema }),
  count: z.strictObject({ filter: filterSchema, exact: z.boolean() }),
  query: z.strictObject({
    ...{ query: z.array(z.number()), limit: z.int().min(1), filter: filterSchema },
    ...{ with_payload: z.literal(true), params: z.strictObject({ exact: z.boolean() }) },
  }),
};

interface Point {
  vector: Float32Array;
  payload: Record<string, unknown>;
}
interface Collection {
  size: number;
  distance: 'Cosine' | 'Euclid' | 'Dot' | 'Manhattan';
  points: Map<string, Point>;
}

/**
 * What of Qdrant's REST interface Archetone uses, as its documentation has it: takes no request that says more or less, keeps
 * points and searches them. Not the real server, which was not at hand.
 */
export class FakeQdrant {
  readonly collections = new Map<string, Collection>();
  /** What was asked: method and path. */
  readonly asked: string[] = [];
  key: string | null = null;
  /** Misses the nearest one, as an index may, unless it is asked to be exact. */
  misses = false;
  /** Answers in place of the server. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
  readonly #server: Server;
  #port = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FakeQdrant> {
    const fake = new FakeQdrant();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    const address = fake.#server.address();
    fake.#port = typeof address === 'object' && address !== null ? address.port : 0;
    afterFile(() => {
      fake.#server.closeAllConnections();
      fake.#server.close();
    });
    return fake;
  }

  settings(collection: string, key: string): QdrantSettings {
    const settings = storeSettings(`qdrant://127.0.0.1:${this.#port}/${collection}`, { key });
    if (settings.kind !== 'qdrant') throw new Error('no Qdrant server');
    return settings;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://here');
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    this.asked.push(`${request.method} ${url.pathname}`);
    if (this.instead?.(request, response) === true) return;
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (this.key !== null && request.headers['api-key'] !== this.key) {
      send(403, { status: { error: 'Forbidden' } });
      return;
    }
    try {
      const text = Buffer.concat(pieces).toString();
      const found = this.#answer(`${request.method}`, url, text === '' ? undefined : JSON.parse(text));
      if (found === null) send(404, { status: { error: "Not found: Collection doesn't exist!" } });
      else send(200, { result: found, status: 'ok', time: 0.001 });
    } catch (thrown) {
      send(400, { status: { error: thrown instanceof Error ? thrown.message : 'Bad request' } });
    }
  }

  #answer(method: string, { pathname }: URL, body: unknown): unknown {
    const [, root, name = '', ...rest] = pathname.split('/');
    if (root !== 'collections') throw new Error(`no ${pathname}`);
    const action = `${method} ${rest.join('/')}`;
    const collection = this.collections.get(name);
    if (action === 'PUT ') {
      if (collection) throw new Error('Wrong input: Collection already exists!');
      const { vectors } = bodies.create.parse(body);
      this.collections.set(name, { ...vectors, points: new Map() });
      return true;
    }
    if (!collection) return null;
    const { points, size, distance } = collection;
    if (action === 'GET ')
      return {
        status: 'green',
        points_count: points.size,
        config: { params: { vectors: { size, distance } } },
      };
    if (action === 'PUT index') {
      bodies.index.parse(body);
      return { operation_id: 0, status: 'completed' };
    }
    if (action === 'PUT points') {
      for (const { id, vector, payload } of bodies.upsert.parse(body).points) {
        if (vector.length !== size)
          throw new Error(`Wrong input: Vector dimension error: expected dim: ${size}`);
        points.set(id, { vector: Float32Array.from(vector), payload });
      }
      return { operation_id: 1, status: 'completed' };
    }
    const fits = ({ must, must_not: not }: z.output<typeof filterSchema>, { payload }: Point): boolean =>
      must.every(({ key, match }) => payload[key] === match.value) &&
      !not.some(({ key, match }) => payload[key] === match.value);
    if (action === 'POST points/delete') {
      const { filter } = bodies.delete.parse(body);
      for (const [id, point] of points) if (fits(filter, point)) points.delete(id);
      return { operation_id: 2, status: 'completed' };
    }
    if (action === 'POST points/count') {
      const { filter } = bodies.count.parse(body);
      return { count: [...points.values()].filter((point) => fits(filter, point)).length };
    }
    if (action !== 'POST points/query') throw new Error(`no ${action}`);
    const { query, limit, filter, params } = bodies.query.parse(body);
    const asked = Float32Array.from(query);
    const score = ({ vector }: Point): number =>
      distance === 'Cosine'
        ? 1 - cosineDistance(asked, 0, vector, 0, size)
        : Math.sqrt(squaredDistance(asked, 0, vector, 0, size));
    const found = [...points.entries()]
      .filter(([, point]) => fits(filter, point))
      .map(([id, point]) => ({ id, version: 0, score: score(point), payload: point.payload }))
      .sort((a, b) => (distance === 'Cosine' ? b.score - a.score : a.score - b.score));
    return { points: found.slice(this.misses && !params.exact ? 1 : 0).slice(0, limit) };
  }
}
