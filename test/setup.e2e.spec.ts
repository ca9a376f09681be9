import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = (...args: readonly string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
const evaluate = (source: string) => node('--input-type=module', '--eval', source);

describe('set-up', () => {
  it('does nothing, quietly, when everything is there', () => {
    expect(node('scripts/setup.mjs').status).toBe(0);
    const { status, stdout, stderr } = node('scripts/setup.mjs');
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('refuses an old Node with one sentence', () => {
    const { stderr } = evaluate(`
      import { checkNode } from './scripts/setup/node-version.mjs';
      for (const version of ['20.19.0', '22.0.0', '20.18.9']) checkNode(version);`);
    expect(stderr).toContain('Baton needs Node 20.19 or newer and this is 20.18.9: install a current one');
  });

  it('asks for the nats-server that the bus asks for', () => {
    const oldest = (file: string): string | undefined =>
      /OLDEST = '([\d.]+)'/.exec(readFileSync(join(root, file), 'utf8'))?.[1];
    expect(oldest('scripts/setup/nats-server.mjs')).toMatch(/^\d+\.\d+\.\d+$/);
    expect(oldest('scripts/setup/nats-server.mjs')).toBe(oldest('libs/bus/src/server-version.ts'));
  });

  it('takes a download only with the checksum that was published with it', () => {
    const { stdout } = evaluate(`
      import { verify } from './scripts/setup/checksum.mjs';
      const sums = ${JSON.stringify(`${'0'.repeat(64)}  b.tar.gz\n2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  a.tar.gz\n`)};
      const attempt = (file, text) => { try { verify(sums, file, Buffer.from(text)); return 'taken'; } catch { return 'refused'; } };
      console.log(attempt('a.tar.gz', 'hello'), attempt('a.tar.gz', 'hullo'), attempt('b.tar.gz', 'hello'), attempt('c.tar.gz', 'hello'));`);
    expect(stdout).toBe('taken refused refused refused\n');
  });
});

describe('the command', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

  it('says its version, and answers a wrong use with 2 and an obstacle with 1', () => {
    expect(node('bin/baton.mjs', '--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
    expect(node('bin/baton.mjs', 'up', '--port', 'none').status).toBe(2);
    expect(node('bin/baton.mjs', 'up', '--data', join(root, 'package.json'))).toMatchObject({
      status: 1,
      stderr: `${join(root, 'package.json')} is a file, not a folder: use another folder with --data DIR.\n`,
    });
  });
});
