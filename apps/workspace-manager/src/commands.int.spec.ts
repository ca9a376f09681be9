import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallId } from '#contracts';
import { aRun, aSpec } from '../test/rig.js';
import { Ballast } from './ballast.js';
import { Commands } from './commands.js';
import { Folders } from './folders.js';
import { unsandboxed } from './sandbox.js';

describe('a command on a full disk', () => {
  const place = mkdtempSync(join(tmpdir(), 'baton-commands-'));
  const disk = join(place, 'disk');
  afterAll(() => {
    spawnSync('umount', ['-l', disk]);
    rmSync(place, { recursive: true });
  });

  it('was not begun, and is in no doubt, when there was room for its folder and not for its claim', async () => {
    mkdirSync(disk);
    // Two pages: one for each of the two files that are made before the shim is started.
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk], { encoding: 'utf8' });
    if (mounted.status !== 0) {
      process.stdout.write(`Mounting is not allowed (${mounted.stderr.trim()}): no test of a full disk.\n`);
      return;
    }
    const call = { runId: aRun(), callId: CallId.parse('1-0'), attempt: 1 };
    const folders = new Folders(disk);
    mkdirSync(folders.files(call.runId), { recursive: true });
    const means = { path: '/usr/bin:/bin', sandbox: unsandboxed(false), groups: undefined, sentence: '' };
    const commands = new Commands(folders, means, new Ballast(join(place, 'ballast')), []);
    const ran = join(place, 'ran');
    const order = {
      spec: aSpec(),
      command: `touch ${ran}`,
      variables: {},
      secrets: [],
      fileBytes: 1024,
      guardMs: 9_000,
    };
    const end = await commands.start(call, order).ended;
    expect(end).toEqual({ kind: 'not-begun', reason: 'There was no room on the disk for the command to begin.' });
    expect(commands.claims(call)).toBe(0);
    expect(existsSync(ran)).toBe(false);
  });
});
