/**
 * PostgreSQL with pgvector, compiled for WebAssembly, on a port of this machine until its standard input ends. The first line of
 * its output is the port. With a certificate and a key (PEM files) as arguments it speaks TLS and nothing else.
 */
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';

const db = await PGlite.create({ extensions: { vector } });
const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1', maxConnections: 20 });
await server.start();
const port = Number(server.getServerConn().split(':').at(-1));

/** What a client asks with before it speaks TLS. @see PostgreSQL's protocol, SSLRequest */
const SSL_REQUEST = 80877103;

function encrypted(certFile, keyFile) {
  const secureContext = createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  const front = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (asked) => {
      if (asked.length !== 8 || asked.readInt32BE(4) !== SSL_REQUEST) return void socket.destroy();
      socket.write('S');
      const inside = new TLSSocket(socket, { isServer: true, secureContext });
      const behind = connect(port, '127.0.0.1');
      for (const end of [inside, behind])
        end.on('error', () => {
          inside.destroy();
          behind.destroy();
        });
      inside.pipe(behind).pipe(inside);
    });
  });
  return new Promise((resolve) => {
    front.listen(0, '127.0.0.1', () => resolve(front.address().port));
  });
}

const [certFile, keyFile] = process.argv.slice(2);
const shown = certFile && keyFile ? [port, await encrypted(certFile, keyFile)] : [port];
console.log(shown.join(' '));
process.stdin.on('end', () => process.exit(0)).resume();
