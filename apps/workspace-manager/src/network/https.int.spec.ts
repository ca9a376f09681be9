import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = (name: string): string => fileURLToPath(new URL(`../../test/${name}`, import.meta.url));
const CERTIFICATE = here('certificate/outside.crt');

/** What came of asking these addresses, by a process that trusts what `env` says. */
async function asked(urls: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<readonly unknown[]> {
  const words = ['--import', here('ts-run.mjs'), here('https-client-process.ts'), ...urls];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env: { ...process.env, ...env } });
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

describe('a request over HTTPS', () => {
  const heard: string[] = [];
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer(
      { cert: readFileSync(CERTIFICATE), key: readFileSync(here('certificate/outside.key')) },
      (request, response) => {
        heard.push(`${request.method} ${request.url} ${String(request.headers['x-token'])}`);
        if (request.url === '/inside') response.writeHead(307, { location: 'https://inside.test/' });
        if (request.url === '/number') response.writeHead(307, { location: 'https://10.0.0.1/' });
        response.end('hello');
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => void server.close());
  beforeEach(() => void heard.splice(0));

  it('is answered by a server whose authority the configuration trusts', async () => {
    const url = `https://outside.test:${port}/`;
    expect(await asked([url], { NODE_EXTRA_CA_CERTS: CERTIFICATE })).toEqual([{ status: 200, body: 'hello' }]);
    expect(heard).toEqual(['POST / secret']);
  });

  it('sends nothing to a server of an unknown authority, or of another name', async () => {
    const [unknown] = await asked([`https://outside.test:${port}/`]);
    expect(unknown).toMatchObject({ code: 'no-answer', sent: false, message: expect.stringMatching(/self.signed/) });
    const [misnamed] = await asked([`https://other.test:${port}/`], { NODE_EXTRA_CA_CERTS: CERTIFICATE });
    expect(misnamed).toMatchObject({ code: 'no-answer', sent: false, message: expect.stringMatching(/altnames/) });
    expect(heard).toEqual([]);
  });

  it('follows no redirect that leads inside', async () => {
    const urls = ['inside', 'number'].map((path) => `https://outside.test:${port}/${path}`);
    const refused = { code: 'address-refused' };
    expect(await asked(urls, { NODE_EXTRA_CA_CERTS: CERTIFICATE })).toMatchObject([refused, refused]);
    expect(heard).toHaveLength(2);
  });
});
