import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isPublic } from './addresses.js';
import { bodyOf } from './body.js';
import { type Address, reachOf, send } from './request.js';

describe('addresses', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'fd00:ec2::254',
    'fe80::1%eth0',
    'ff02::1',
    'nonsense',
  ])('%s is not public', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111'])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true);
  });
});

describe('a request', () => {
  it('goes to exactly the addresses that were checked, whatever the name means a moment later', async () => {
    const server = createServer((request, response) => response.end(`for ${String(request.headers.host)}`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const meanings: Address[][] = [[{ address: '127.0.0.1', family: 4 }], [{ address: '127.0.0.2', family: 4 }]];
    let asked = 0;
    const resolve = async (): Promise<Address[]> => {
      asked += 1;
      return meanings[asked - 1] ?? [];
    };
    const url = new URL(`http://name.test:${port}/`);
    const out = { method: 'GET', headers: {}, signal: AbortSignal.timeout(10_000) };
    const answer = await send(url, out, reachOf(true, resolve));
    expect((await bodyOf(answer, 100)).bytes.toString()).toBe(`for name.test:${port}`);
    expect(asked).toBe(1);
    server.close();
  });

  it('is refused at the redirect that leads inside', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: request.url === '/name' ? 'http://inside.test/' : 'http://[::1]/' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const resolve = async (host: string): Promise<Address[]> => [
      { address: host === 'outside.test' ? '127.0.0.1' : '10.0.0.1', family: 4 },
    ];
    // The test's own server stands for the public internet.
    const reach = { allows: (address: string) => address === '127.0.0.1', resolve };
    const out = { method: 'GET', headers: {}, signal: AbortSignal.timeout(10_000) };
    for (const path of ['/name', '/number']) {
      const sending = send(new URL(`http://outside.test:${port}${path}`), out, reach);
      await expect(sending).rejects.toMatchObject({ code: 'address-refused' });
    }
    expect(asked).toEqual(['/name', '/number']);
    await expect(send(new URL('file:///etc/passwd'), out, reach)).rejects.toMatchObject({ code: 'address-refused' });
    server.close();
  });
});
