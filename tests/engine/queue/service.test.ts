import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { QueueService } from '../../../engine/queue/service.ts';
import { memoryKeeper } from '../../../engine/queue/secrets.ts';
import { finished, startTestEngine } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';
import { libraryContents } from '../../support/library-contents.ts';
import { freePort, natsMissing, NatsServer, withNats } from '../../support/nats.ts';
import { startTestWorker } from '../../support/queue-worker.ts';

const TOKEN = 'a-token-of-a-test';
let server: NatsServer;

async function first<T>(values: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of values) return value;
  return undefined;
}

/** One that vouches for itself. @param bears as OpenSSL writes alternative names */
function certificate(folder: string, name: string, bears = 'DNS:localhost'): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${bears}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { cert, key };
}

describe.skipIf(natsMissing)(`the queue that a window connects to${withNats}`, () => {
  beforeAll(async () => {
    server = await NatsServer.start(`authorization { token: "${TOKEN}" }`);
  });

  it('takes an import when it is asked for, tells who works, and is forgotten', async () => {
    const { client, dataFolder } = await startTestEngine();
    const folder = writeMusic({ perClass: 2, classes: ['bass'] });
    const { id: libraryId } = await client.call('libraries.open', { folder });
    const start = async (): Promise<unknown> => {
      const { jobId } = await client.call('import.start', { libraryId, overQueue: true });
      return finished(client, jobId, 'import');
    };
    expect(await client.call('queue.get', {})).toBeNull();
    await expect(start()).rejects.toThrow('No queue is connected');

    expect(await client.call('queue.connect', { server: server.url, token: TOKEN })).toEqual({
      ...{
        server: server.url,
        creds: null,
        tlsCa: null,
        tlsCert: null,
        tlsKey: null,
        secret: true,
        lasting: false,
      },
    });
    expect(readFileSync(join(dataFolder, 'queue.json'), 'utf8')).not.toContain(TOKEN);
    // What is left out stays as it is.
    expect(await client.call('queue.connect', { server: server.url })).toMatchObject({ secret: true });

    const worker = await startTestWorker(server.url, { token: TOKEN, worker: 'helper' });
    for await (const { workers } of client.stream('queue.watch', {}))
      if (workers.some(({ worker: name }) => name === 'helper')) break;
    expect(await start()).toMatchObject({ imported: 2, failed: 0 });
    expect(await worker.stop()).toMatchObject({ answered: 2 });
    const over = libraryContents(dataFolder);

    const alone = await startTestEngine();
    const other = await alone.client.call('libraries.open', { folder });
    const { jobId } = await alone.client.call('import.start', { libraryId: other.id });
    await finished(alone.client, jobId, 'import');
    expect(libraryContents(alone.dataFolder)).toEqual(over);

    await client.call('queue.disconnect', {});
    expect(await client.call('queue.get', {})).toBeNull();
    expect(existsSync(join(dataFolder, 'queue.json'))).toBe(false);
    await expect(first(client.stream('queue.watch', {}))).rejects.toThrow('No queue is connected');
  });

  it('says in a sentence why it is not connected, and keeps nothing then', async () => {
    const { client, dataFolder } = await startTestEngine();
    const port = await freePort();
    const plain = await NatsServer.start();
    const refused = [
      [{ server: `127.0.0.1:${port}`, token: null }, `There is no queue at 127.0.0.1:${port}`],
      [{ server: server.url, token: 'another' }, 'does not let this token in'],
      [{ server: server.url }, 'does not let anybody in without a token'],
      [{ server: 'https://anna:secret-word@127.0.0.1' }, '“https://…@127.0.0.1” is no address of a queue'],
      [{ server: server.url, creds: '/none.creds' }, 'credentials in /none.creds cannot be read'],
      [{ server: plain.url, tlsCa: '/none.pem' }, 'certificate in /none.pem cannot be read'],
    ] as const;
    for (const [input, reason] of refused)
      await expect(client.call('queue.connect', input)).rejects.toThrow(reason);
    expect(existsSync(join(dataFolder, 'queue.json'))).toBe(false);
  });

  it('hides the password of an address, and gives what it keeps to no other server', async () => {
    const users = await NatsServer.start('authorization { user: anna, password: secret-word }');
    const folder = testFolder();
    const asked: string[] = [];
    const keeper = {
      ...memoryKeeper(),
      mayConnect: (address: string) => {
        asked.push(address);
        return Promise.resolve(address !== server.url);
      },
    };
    const service = new QueueService(folder, keeper);
    const address = `nats://anna:secret-word@127.0.0.1:${users.port}`;
    await expect(service.connect({ server: address.replace('word', 'ward') })).rejects.toThrow(
      'does not let this name and password in',
    );
    expect(await service.connect({ server: address })).toMatchObject({ server: users.url, secret: true });
    expect(await service.settings()).toMatchObject({ server: address });
    expect(readFileSync(join(folder, 'queue.json'), 'utf8')).not.toContain('secret-word');
    await expect(service.connect({ server: server.url })).rejects.toMatchObject({ code: 'not-permitted' });
    expect(asked).toEqual([users.url, users.url, server.url]);
    // After a restart of a system without a keychain.
    const later = new QueueService(folder, memoryKeeper());
    expect(later.now).toMatchObject({ server: users.url, secret: true });
    await expect(later.settings()).rejects.toThrow('is no longer kept');
    // A file that somebody damaged is no queue.
    writeFileSync(join(folder, 'queue.json'), '{');
    expect(new QueueService(folder, keeper).now).toBeNull();
  });

  it.each([
    ['IP:127.0.0.1', '127.0.0.1', true],
    ['IP:127.0.0.1,DNS:localhost', 'localhost', true],
    ['IP:127.0.0.1', 'localhost', false],
    // An address is not the name of this machine, also where it belongs to it.
    ['DNS:localhost', '127.0.0.1', false],
    ['IP:127.0.0.2', '127.0.0.1', false],
  ])('whose certificate is for %s is reached as %s: %s', async (bears, host, reached) => {
    const { cert, key } = certificate(testFolder(), 'server', bears);
    const encrypted = await NatsServer.start(`tls { cert_file: "${cert}", key_file: "${key}" }`);
    const service = new QueueService(testFolder(), memoryKeeper());
    const connecting = service.connect({ server: `tls://${host}:${encrypted.port}`, tlsCa: cert });
    if (reached) expect(await connecting).toMatchObject({ tlsCa: cert });
    else await expect(connecting).rejects.toThrow('shows a certificate for another address');
  });

  it('is shown the certificate of this machine where it asks for one', async () => {
    const folder = testFolder();
    const [own, machine] = [certificate(folder, 'server'), certificate(folder, 'machine')];
    const strict = await NatsServer.start(
      `tls { cert_file: "${own.cert}", key_file: "${own.key}", ca_file: "${machine.cert}", verify: true }`,
    );
    const data = testFolder();
    const service = new QueueService(data, memoryKeeper());
    const to = { server: `tls://localhost:${strict.port}`, tlsCa: own.cert };
    await expect(service.connect(to)).rejects.toMatchObject({ code: 'queue' });
    await expect(service.connect({ ...to, tlsCert: machine.cert })).rejects.toThrow('needs its key');
    await expect(service.connect({ ...to, tlsKey: machine.key })).rejects.toThrow('needs its certificate');
    await expect(service.connect({ ...to, tlsCert: machine.cert, tlsKey: own.key })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(own.key) as string,
    });
    const both = { tlsCert: machine.cert, tlsKey: machine.key };
    expect(await service.connect({ ...to, ...both })).toMatchObject(both);
    // After a start, and where a queue was kept before there were such files.
    const later = new QueueService(data, memoryKeeper());
    expect(await later.settings()).toMatchObject(both);
    const kept = JSON.parse(readFileSync(join(data, 'queue.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(
      join(data, 'queue.json'),
      JSON.stringify({ ...kept, tlsCert: undefined, tlsKey: undefined }),
    );
    expect(new QueueService(data, memoryKeeper()).now).toMatchObject({ tlsCert: null, tlsKey: null });
  });

  it('says when its server goes away', async () => {
    const other = await NatsServer.start();
    const { client } = await startTestEngine();
    await client.call('queue.connect', { server: other.url });
    let seen = 0;
    await expect(
      (async () => {
        for await (const { workers } of client.stream('queue.watch', {})) {
          expect(workers).toEqual([]);
          if (seen++ === 0) await other.kill();
        }
      })(),
    ).rejects.toThrow('does not answer any more');
  });
});
