import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, launch, temporaryFolder, test } from './support/app.ts';

test('nothing leaves the window by WebRTC, over UDP or TCP', async ({ running }) => {
  let packets = 0;
  const udp = createSocket('udp4');
  udp.on('message', () => packets++);
  await new Promise<void>((resolve) => udp.bind(0, '0.0.0.0', resolve));
  const tcp = createServer((socket) => {
    packets++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => tcp.listen(0, '0.0.0.0', resolve));
  const stun = udp.address().port;
  const turn = (tcp.address() as AddressInfo).port;
  try {
    // Addresses by number: names are not looked up at all.
    const candidates = await running.page.evaluate(
      async ([udpPort, tcpPort]) => {
        if (!('RTCPeerConnection' in globalThis)) return null;
        const connection = new RTCPeerConnection({
          iceServers: [
            { urls: `stun:127.0.0.1:${String(udpPort)}` },
            { urls: `turn:127.0.0.1:${String(tcpPort)}?transport=tcp`, username: 'u', credential: 'c' },
          ],
        });
        let seen = 0;
        connection.onicecandidate = ({ candidate }) => {
          if (candidate !== null && candidate.candidate !== '') seen++;
        };
        connection.createDataChannel('x');
        await connection.setLocalDescription(await connection.createOffer());
        await new Promise((resolve) => setTimeout(resolve, 3000));
        connection.close();
        return seen;
      },
      [stun, turn],
    );
    expect(packets).toBe(0);
    expect(candidates ?? 0).toBe(0);
  } finally {
    udp.close();
    tcp.close();
  }
});

test('a bare start asks the network for nothing', async () => {
  const userData = temporaryFolder('e2e-network');
  const log = join(userData, 'net.json');
  try {
    const running = await launch(userData, [`--log-net-log=${log}`]);
    await expect(running.page.getByTestId('open-folder')).toBeVisible({ timeout: 60_000 });
    // Chromium wants a dictionary a moment after the start: the wish must end before a name is looked up.
    await running.page.waitForTimeout(4000);
    await running.app.close();
    expect(existsSync(log)).toBe(true);
    const text = readFileSync(log, 'utf8');
    const types = /"logEventTypes":\s*(\{[^}]*\})/.exec(text)?.[1];
    const names = JSON.parse(types ?? '{}') as Record<string, number>;
    const count = (event: string): number =>
      text.split(new RegExp(`"type":${String(names[event] ?? -1)}[,}]`)).length - 1;
    expect(names).toHaveProperty('TCP_CONNECT');
    for (const event of ['DNS_TRANSACTION', 'HOST_RESOLVER_SYSTEM_TASK', 'TCP_CONNECT', 'UDP_BYTES_SENT'])
      expect(count(event), event).toBe(0);
  } finally {
    rmSync(userData, { recursive: true, force: true });
  }
});
