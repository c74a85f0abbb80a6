/** Tries to get out, and tells what it could do. Arguments: a folder, a port of this machine, other folders. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

const [folder = '', port = '0', ...elsewhere] = process.argv.slice(2);
const could = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};
const reached = await new Promise<boolean>((resolve) => {
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('connect', () => resolve(true));
  socket.on('error', () => resolve(false));
});
process.send?.({
  reached,
  read: could(() => readFileSync(join(folder, 'there'))),
  wrote: [folder, ...elsewhere].filter((place) =>
    could(() => writeFileSync(join(place, `.escaped-${process.pid}`), '')),
  ),
});
process.disconnect();
