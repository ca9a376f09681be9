import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { HttpTool, type Json } from '#contracts';
import type { Logger } from '#platform';
import { plantServer } from '../../test/mcp-fixture.js';
import { aSpec, Bench, finished, Rig } from '../../test/rig.js';
import { until } from '../../test/until.js';

const CANARY = 'canary-b7"3f/9+c2';
const FORMS = [
  CANARY,
  encodeURIComponent(CANARY),
  JSON.stringify(CANARY).slice(1, -1),
  Buffer.from(CANARY).toString('base64').slice(0, -2),
  Buffer.from(CANARY).toString('hex'),
];

/** The forms of the canary in some bytes. */
const canariesIn = (bytes: Buffer): string[] => FORMS.filter((form) => bytes.includes(form));

/** The files below a folder with a canary in them; the workspace's own files belong to its commands. */
const filesWithCanaries = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !`${entry.parentPath}/`.includes('/files/'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => canariesIn(readFileSync(path)).length > 0);

describe('the value of a secret', () => {
  const rig = new Rig();
  afterAll(() => rig.close());

  it('is in no result, no file of the data folder, no blob and no log, whatever prints it', async () => {
    const logged: string[] = [];
    const write = (facts: object, message: string): void => void logged.push(JSON.stringify([facts, message]));
    const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
    const server = createServer((request, response) =>
      response.end(`you sent ${String(request.headers['authorization'])}`),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const tool = (name: string, at: string): HttpTool =>
      HttpTool.parse({
        name,
        description: name,
        method: 'GET',
        url: at,
        allowPrivate: true,
        headers: { authorization: 'Bearer {secret:KEY}' },
      });
    const manager = await rig.manager('data', {
      logger,
      secrets: { variables: new Map([['KEY', CANARY]]), folder: undefined },
    });
    const bench = await new Bench(manager).open(aSpec({ env: { KEY: '{secret:KEY}', PLAIN: 'plain words' } }), [], {
      http: [tool('ask', url), tool('nobody', 'http://127.0.0.1:1/')],
      mcp: {
        test: { command: ['node', 'mcp/server.mjs', 'stdio'], env: { TOKEN: '{secret:KEY}' } },
        talks: { command: ['bash', '-c', 'echo "$KEY" >&2; exit 3'], env: {} },
      },
      secrets: ['KEY'],
    });
    plantServer(rig.files(bench.runId));
    const results: string[] = [];
    const call = async (name: string, input: Record<string, Json>): Promise<string> => {
      const state = await bench.call(name, input, { outputBytes: 400 });
      results.push(JSON.stringify(state));
      return finished(state).text;
    };

    const forms = 'echo "$KEY"; echo -n "$KEY" | base64; echo -n "$KEY" | od -An -tx1 -v | tr -d " \\n"; echo "$PLAIN"';
    const printed = await call('bash', { command: forms });
    expect(printed.match(/\[secret KEY\]/g)).toHaveLength(3);
    expect(printed).toContain('plain words');
    const slowly = 'for c in $(echo -n "$KEY" | sed "s/./& /g"); do printf %s "$c"; sleep 0.02; done; exit 4';
    expect(await call('bash', { command: slowly })).toBe('[secret KEY]\n[exit status 4]');
    await call('bash', { command: 'for i in $(seq 2000); do echo "$i $KEY"; done' });
    await call('bash', { command: 'echo "$KEY" >kept; echo x$(cat kept)y | base64 -w0' });
    expect(await call('read_file', { path: 'kept' })).toBe('[secret KEY]\n');
    await call('search_files', { pattern: 'canary' });
    expect(await call('ask', {})).toContain('Bearer [secret KEY]');
    await call('nobody', {});
    expect(await call('test__reveal', {})).toContain('env [secret KEY]');
    const { runId, segment } = bench;
    const found = await manager.workspaces.discoverTools({ runId, segment, servers: ['talks', 'test'] });
    results.push(JSON.stringify(found));
    expect(found.discoveries[0]).toMatchObject({ reason: expect.stringContaining('it said: [secret KEY]') });

    // While a command runs, what it has printed lies in a file.
    const callId = bench.nextId();
    await bench.call(
      'bash',
      { command: 'echo "now $KEY"; until test -e go; do sleep 0.05; done' },
      { callId, waitMs: 0 },
    );
    const output = join(rig.folder, 'data', 'workspaces', runId, 'calls', callId, 'output');
    await until(() => readdirSync(join(output, '..')).includes('output') && readFileSync(output).includes('now'));
    expect(filesWithCanaries(rig.folder)).toEqual([]);
    writeFileSync(join(rig.files(runId), 'go'), '');
    results.push(JSON.stringify(await manager.workspaces.askCall({ runId, segment, callId, waitMs: 60_000 })));

    expect(results.flatMap((result) => canariesIn(Buffer.from(result)))).toEqual([]);
    expect(logged.flatMap((line) => canariesIn(Buffer.from(line)))).toEqual([]);
    expect(filesWithCanaries(rig.folder)).toEqual([]);
    const blobs = readFileSync(join(rig.folder, 'log.jsonl'), 'utf8').match(/"base64":"[^"]*"/g) ?? [];
    expect(blobs.length).toBeGreaterThan(0);
    expect(blobs.flatMap((blob) => canariesIn(Buffer.from(blob.slice(10, -1), 'base64')))).toEqual([]);
    server.close();
  });

  it('is in nobody’s command line and in no environment but the one that it is for', async () => {
    const variables = new Map([
      ['KEY', CANARY],
      ['OTHER', 'another-secret'],
    ]);
    const bench = new Bench(await rig.manager('other', { secrets: { variables, folder: undefined } }));
    await bench.open(aSpec({ env: { KEY: '{secret:KEY}' } }), [], { http: [], mcp: {}, secrets: ['KEY'] });
    const look =
      'cat /proc/[0-9]*/cmdline | tr "\\0" " "; echo; env | grep -c .; env | grep -i -E "other|baton"; ls -l /proc/self/fd';
    const callId = bench.nextId();
    await bench.bash(`${look}; until test -e go; do sleep 0.05; done`, { callId, waitMs: 0 });
    await until(() => {
      const lines = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
      const seen = lines.map((pid) => tryRead(`/proc/${pid}/cmdline`));
      expect(seen.filter((line) => canariesIn(line).length > 0)).toEqual([]);
      return seen.some((line) => line.includes('until test -e go'));
    });
    writeFileSync(join(rig.files(bench.runId, 'other'), 'go'), '');
    const { runId, segment, manager } = bench;
    const { text } = finished(await manager.workspaces.askCall({ runId, segment, callId, waitMs: 60_000 }));
    expect(text).not.toMatch(/another-secret|BATON|baton-[0-9a-f]/);
  });

  it('that cannot be had is named to the model, and the command is not started', async () => {
    const bench = new Bench(await rig.manager('third'));
    await bench.open(aSpec({ env: { KEY: '{secret:KEY}' } }), [], { http: [], mcp: {}, secrets: ['KEY'] });
    expect(finished(await bench.bash('touch started'))).toEqual({
      outcome: 'error',
      text: 'The secret KEY is not set: set BATON_SECRET_KEY for the workspace-manager, or put it into the file KEY in BATON_SECRETS_DIR.',
    });
    expect(readdirSync(rig.files(bench.runId, 'third'))).toEqual([]);
  });
});

function tryRead(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
